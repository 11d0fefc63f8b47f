# docker build -t molcaption . && docker run --rm -v "$PWD:/data" molcaption caption library.sdf -o captions.parquet
FROM python:3.12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libxrender1 libxext6 libexpat1 \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
# For captioning and scoring on CPUs. On a GPU: '/src[train]' and a CUDA base image.
RUN pip install --no-cache-dir /src && rm -rf /src && useradd --create-home molcaption
USER molcaption
WORKDIR /data
ENTRYPOINT ["molcaption"]
CMD ["--help"]

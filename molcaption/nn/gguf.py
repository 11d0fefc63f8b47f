"""What transformers leaves undone when it reads a backbone in llama.cpp's format, GGUF.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Its weights are dequantised
as they are read. Two things of the tokenizer are lost on the way, and both spoil a captioner
silently: how text is cut before merging, and a padding token of its own.
"""

from pathlib import Path
from typing import Any

from tokenizers import pre_tokenizers

_ONE_DIGIT_A_TOKEN = {"smollm"}
"""Values of ``tokenizer.ggml.pre`` whose tokenizers see every digit on its own."""


def is_gguf(path: str | Path) -> bool:
    """Whether ``path`` names a GGUF file."""
    return Path(path).suffix == ".gguf"


def mend_tokenizer(tokenizer: Any, path: str | Path) -> None:
    """Give a tokenizer that was read from a GGUF file back what is lost in reading.

    Args:
        tokenizer: a Hugging Face tokenizer; changed in place.
    """
    from gguf import GGUFReader

    cut = GGUFReader(path).get_field("tokenizer.ggml.pre")
    if cut is not None and cut.contents() in _ONE_DIGIT_A_TOKEN:
        backend = tokenizer.backend_tokenizer
        digits = pre_tokenizers.Digits(individual_digits=True)
        backend.pre_tokenizer = pre_tokenizers.Sequence([digits, backend.pre_tokenizer])
    # Whoever masks padding out of the loss by its id would mask the end of every caption too.
    if tokenizer.pad_token == tokenizer.eos_token and tokenizer.unk_token is not None:
        tokenizer.pad_token = tokenizer.unk_token


def forget_quantization(llm: Any) -> None:
    """Make a model that was read from a GGUF file what it is: a plain one that can be saved."""
    del llm.config.quantization_config
    llm.hf_quantizer = None

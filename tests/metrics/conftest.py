"""WordNet for the METEOR tests, unpacked once per run."""

import tarfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def wordnet_folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NLTK's data folder with WordNet 3.0 in it."""
    folder = tmp_path_factory.mktemp("nltk")
    with tarfile.open(shared_data / "nltk" / "wordnet.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "nltk_min"

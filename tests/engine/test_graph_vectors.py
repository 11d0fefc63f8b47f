"""The same molecule is the same vector, whatever holds the encoder."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from molcaption.chem.graph import Graph, featurise
from molcaption.chem.molecule import parse_smiles
from molcaption.claims import load_lexicon
from molcaption.engine.graph_vectors import load_graph_vectors
from molcaption.engine.questions import questions
from molcaption.engine.runtimes.onnx import OnnxRuntime
from molcaption.errors import BadDataError, MissingError

SMILES = ["CCO", "c1ccccc1", "C", "CC(=O)Oc1ccccc1C(=O)O"] * 20  # more than one batch


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    return [featurise(parse_smiles(smiles)) for smiles in SMILES]


def test_vectors_are_means_of_graph_tokens(tiny_bundle: Path, graphs: list[Graph]) -> None:
    vectors = load_graph_vectors(tiny_bundle)(graphs)
    runtime = OnnxRuntime.load(tiny_bundle)
    views = [view for view, _ in questions(SMILES, runtime.vocabulary, load_lexicon())]
    tokens = runtime.tokens(views)[:, :1]  # the others are profile tokens
    assert vectors.shape == (len(SMILES), tokens.shape[-1])
    np.testing.assert_allclose(vectors, tokens.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(vectors[:4], vectors[4:8])


def test_bundle_and_model_agree(tiny_model: Path, tiny_bundle: Path, graphs: list[Graph]) -> None:
    np.testing.assert_allclose(
        load_graph_vectors(tiny_model)(graphs), load_graph_vectors(tiny_bundle)(graphs), atol=1e-5
    )


def test_a_run_is_known_by_its_furthest_stage(
    tiny_model: Path, tmp_path: Path, graphs: list[Graph]
) -> None:
    shutil.copytree(tiny_model, tmp_path / "run" / "align")
    np.testing.assert_array_equal(
        load_graph_vectors(tmp_path / "run")(graphs), load_graph_vectors(tiny_model)(graphs)
    )


def test_what_is_no_model(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no captioner; give a bundle"):
        load_graph_vectors(tmp_path)
    copy = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (copy / "bridge.npz").write_bytes(b"")
    with pytest.raises(BadDataError, match="damaged"):
        load_graph_vectors(copy)

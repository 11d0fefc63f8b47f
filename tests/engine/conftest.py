"""What tests of runtimes have in common."""

import pytest

from molcaption.claims import load_lexicon
from molcaption.engine.questions import Question, questions
from molcaption.engine.runtimes.onnx import OnnxRuntime


@pytest.fixture(scope="module")
def onnx(tiny_bundle) -> OnnxRuntime:
    return OnnxRuntime.load(tiny_bundle, threads=2)


@pytest.fixture(scope="module")
def molecules(request: pytest.FixtureRequest, onnx: OnnxRuntime) -> list[Question]:
    """The module's ``SMILES``."""
    return questions(request.module.SMILES, onnx.vocabulary, load_lexicon())

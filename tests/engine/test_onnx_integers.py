"""Products of integers: close to those of floats, and each row by itself."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from molcaption.engine.onnx_integers import multiply_integers
from molcaption.engine.packed import quantise_columns

RNG = np.random.default_rng(0)
WEIGHTS = {name: RNG.standard_normal((96, n)).astype(np.float32) for name, n in
           [("a", 64), ("b", 33), ("kept", 5)]}  # fmt: skip


def model() -> onnx.ModelProto:
    """Three products of one input, of which two are chosen."""
    nodes = [helper.make_node("MatMul", ["x", w], [f"{w}_out"], f"/{w}/MatMul") for w in WEIGHTS]
    outputs = [
        helper.make_tensor_value_info(f"{w}_out", TensorProto.FLOAT, ["batch", "length", n])
        for w, (_, n) in ((w, array.shape) for w, array in WEIGHTS.items())
    ]
    given_as = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "length", 96])
    weights = [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()]
    graph = helper.make_graph(nodes, "three", [given_as], outputs, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    multiply_integers(made, lambda name: "kept" not in name)
    return made


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    return ort.InferenceSession(model().SerializeToString(), providers=["CPUExecutionProvider"])


def rows(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((*shape, 96)).astype(np.float32)


def test_the_graph() -> None:
    graph = model().graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 2
    assert kinds.count("MatMul") == 1
    assert kinds.count("QuantizeLinear") == 1  # both take the same rounded rows
    names = {tensor.name for tensor in graph.initializer}
    assert {"a_quantized", "a_scale", "b_quantized", "b_scale", "kept"} < names
    assert not {"a", "b"} & names
    onnx.checker.check_model(model())


def test_what_it_computes(session: ort.InferenceSession) -> None:
    """Rows rounded to 127 steps either way and columns to 63, by hand."""
    x = rows(4, 3)
    scale = np.abs(x).max(-1, keepdims=True) / np.float32(127)
    for name, made in zip(WEIGHTS, session.run(None, {"x": x}), strict=True):
        weights = WEIGHTS[name]
        if name != "kept":
            codes, scales = quantise_columns(weights)
            expected = np.rint(x / scale) @ codes.astype(np.float64) * scales * scale
            np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-4)
        error = np.abs(made - x @ weights).mean() / np.abs(x @ weights).mean()
        assert error < (1e-6 if name == "kept" else 0.02)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000), st.floats(1e-3, 1e4))
def test_a_row_does_not_know_its_neighbours(n: int, seed: int, size: float) -> None:
    """To the bit, also beside rows that are much larger."""
    session = ort.InferenceSession(model().SerializeToString(), providers=["CPUExecutionProvider"])
    x = rows(n, 1, seed=seed)
    x[1:] *= np.float32(size)
    together = session.run(["a_out", "b_out"], {"x": x})
    for place in {0, n // 2, n - 1}:
        alone = session.run(["a_out", "b_out"], {"x": x[place : place + 1]})
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], all_of_them[place])


def test_zeros_stay_zeros(session: ort.InferenceSession) -> None:
    """Padding is zeros, and what is divided by their largest must not spread."""
    x = rows(3, 2)
    x[1] = 0
    for made in session.run(None, {"x": x}):
        assert np.isfinite(made).all()
        assert (made[1] == 0).all()


def test_columns_keep_their_own_scales() -> None:
    matrix = RNG.standard_normal((50, 8)).astype(np.float32) * np.logspace(-6, 3, 8, dtype="f4")
    matrix[:, 3] = 0
    codes, scales = quantise_columns(matrix)
    assert np.abs(codes).max() == 63
    assert (np.abs(codes * scales - matrix) <= scales / 2 * 1.0001).all()

"""Weights as they are stored in a bundle."""

from pathlib import Path

import numpy as np
import pytest

from molcaption.engine.packed import (
    dequantise,
    dequantise_4bit,
    pack,
    pack_rows,
    quantise,
    quantise_4bit,
    quantise_columns,
    round_columns,
    take_rows,
    unpack,
)

MATRIX = np.random.default_rng(0).normal(size=(96, 80)).astype(np.float32)


def test_int8_is_within_half_a_step() -> None:
    codes, scales = quantise(MATRIX)
    error = np.abs(dequantise(codes, scales) - MATRIX).reshape(3, 32, 80)
    # clipping at 127 may add what the float16 of the scale rounded away
    assert (error <= scales.astype(np.float32)[:, None] * (0.5 + 127 * 2**-11)).all()


def test_int8_keeps_blocks_of_zeros() -> None:
    matrix = MATRIX.copy()
    matrix[:32] = 0
    assert not dequantise(*quantise(matrix))[:32].any()


def test_int4_reaches_every_value_of_its_range() -> None:
    """Sixteen evenly spaced weights a block, zero among them, are what 4 bits can hold exactly."""
    steps = np.arange(-5, 11, dtype=np.float32)
    matrix = np.tile(np.repeat(steps, 2), 3)[:, None] * np.array([[0.5, -1.0, 2.0]], np.float32)
    codes, scales, zeros = quantise_4bit(matrix)
    assert codes.shape == (48, 3)
    assert scales.shape == zeros.shape == (3, 3)
    np.testing.assert_allclose(dequantise_4bit(codes, scales, zeros), matrix, atol=1e-3)


def test_int4_is_what_onnxruntime_computes_with() -> None:
    """The same codes in `MatMulNBits`' layout, multiplied by onnxruntime."""
    onnx, ort = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    codes, scales, zeros = quantise_4bit(MATRIX)
    rows, columns = MATRIX.shape
    blob = codes.T.reshape(columns, rows // 32, 16)
    padded = np.zeros((columns, 4), np.uint8)
    padded[:, :3] = zeros.T
    inputs = {
        "codes": np.ascontiguousarray(blob),
        "scales": np.ascontiguousarray(scales.T.astype(np.float32)).ravel(),
        "zeros": np.ascontiguousarray(padded[:, ::2] | padded[:, 1::2] << 4).ravel(),
    }
    node = onnx.helper.make_node(
        "MatMulNBits", ["x", *inputs], ["y"], domain="com.microsoft",
        K=rows, N=columns, bits=4, block_size=32, accuracy_level=1,
    )  # fmt: skip
    graph = onnx.helper.make_graph(
        [node], "product",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, rows])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, columns])],
        [onnx.numpy_helper.from_array(array, name) for name, array in inputs.items()],
    )  # fmt: skip
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    x = np.random.default_rng(1).normal(size=(5, rows)).astype(np.float32)
    (y,) = ort.InferenceSession(model.SerializeToString()).run(None, {"x": x})
    np.testing.assert_allclose(y, x @ dequantise_4bit(codes, scales, zeros), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("storage", "error"), [("fp32", 0), ("fp16", 2**-10), ("int8", 0.02)])
def test_rows_are_those_of_the_table(tmp_path: Path, storage: str, error: float) -> None:
    np.save(tmp_path / "t.npy", pack_rows(MATRIX.T, storage))
    table = np.load(tmp_path / "t.npy", mmap_mode="r")
    places = np.array([3, 0, 79, 3])
    got = take_rows(table, places)
    assert got.dtype == np.float32
    assert np.abs(got - MATRIX.T[places]).max() <= error * np.abs(MATRIX).max()
    assert pack_rows(MATRIX.T[:, :90], "int8").dtype == np.float16


@pytest.mark.parametrize(
    ("storage", "error"), [("fp32", 0.0), ("fp16", 2**-10), ("int8", 0.02), ("int4", 0.2)]
)
def test_pack_and_unpack(tmp_path: Path, storage: str, error: float) -> None:
    tensors = {"w": MATRIX, "norm": MATRIX[0], "odd": MATRIX[:90]}
    np.savez(tmp_path / "w.npz", **pack(tensors, lambda _: storage))
    got = unpack(tmp_path / "w.npz")
    assert all(array.flags.c_contiguous for array in got.values())  # onnxruntime takes no other
    assert {name: array.dtype for name, array in got.items()} == dict.fromkeys(tensors, np.float32)
    assert np.abs(got["w"] - MATRIX).max() <= error * np.abs(MATRIX).max()
    np.testing.assert_array_equal(got["norm"], MATRIX[0])
    np.testing.assert_allclose(got["odd"], MATRIX[:90], rtol=2**-10)


def test_integers_stay_as_they_are(tmp_path: Path) -> None:
    codes = np.arange(-64, 64, dtype=np.int8).repeat(64).reshape(128, 64)
    np.savez(tmp_path / "w.npz", **pack({"q": codes, "w": MATRIX}, lambda _: "int8"))
    got = unpack(tmp_path / "w.npz", np.float16)
    np.testing.assert_array_equal(got["q"], codes)
    assert (got["q"].dtype, got["w"].dtype) == (np.int8, np.float16)


def test_unknown_storage() -> None:
    with pytest.raises(ValueError, match="fp32, fp16, int8, int4"):
        pack({"w": MATRIX}, lambda _: "int3")


def test_columns_are_rounded_where_integers_are_multiplied() -> None:
    given = round_columns({"a": MATRIX, "b": MATRIX + 1, "c": MATRIX[0]}, ["b"])
    assert [*given] == ["a", "b_quantized", "b_scale", "c"]
    assert given["a"] is MATRIX
    codes, scales = quantise_columns(MATRIX + 1)
    np.testing.assert_array_equal(given["b_quantized"], codes)
    np.testing.assert_array_equal(given["b_scale"], scales)

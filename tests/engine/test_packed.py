"""Weights as they are stored in a bundle."""

from pathlib import Path

import numpy as np
import pytest

from molcaption.engine.packed import dequantise, pack, quantise, unpack

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


@pytest.mark.parametrize(("storage", "error"), [("fp32", 0.0), ("fp16", 2**-10), ("int8", 0.02)])
def test_pack_and_unpack(tmp_path: Path, storage: str, error: float) -> None:
    tensors = {"w": MATRIX, "norm": MATRIX[0], "odd": MATRIX[:90]}
    np.savez(tmp_path / "w.npz", **pack(tensors, storage))
    got = unpack(tmp_path / "w.npz")
    assert {name: array.dtype for name, array in got.items()} == dict.fromkeys(tensors, np.float32)
    assert np.abs(got["w"] - MATRIX).max() <= error * np.abs(MATRIX).max()
    np.testing.assert_array_equal(got["norm"], MATRIX[0])
    np.testing.assert_allclose(got["odd"], MATRIX[:90], rtol=2**-10)


def test_unknown_storage() -> None:
    with pytest.raises(ValueError, match="fp32, fp16, int8"):
        pack({"w": MATRIX}, "int3")

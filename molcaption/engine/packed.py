"""Weights of a bundle: stored small, computed in float32.

The ONNX graphs of a bundle hold no weights; each has an ``.npz`` of the same name beside it. A
matrix is stored as float32, as float16, or as 8-bit integers with one scale for 32 weights, and
is expanded to float32 when it is loaded. Why not 8-bit arithmetic: on AVX2 onnxruntime's
``MatMulNBits`` is no faster than float32 from batch 8 on, it also rounds the activations (half as
much error again in the logits), and float32 gives every row of a batch the same bits whatever its
neighbours (measured in docs/export.md).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
STORAGES = ("fp32", "fp16", "int8")
_SMALLEST = 4096
"""Tensors with fewer values (biases, norms) stay float32: they cost nothing and matter much."""
_QUANTISED, _SCALE = "/int8", "/scale"

FloatArray = NDArray[np.float32]


def pack(tensors: Mapping[str, FloatArray], storage: str) -> dict[str, NDArray[Any]]:
    """Arrays to put in an ``.npz``.

    Args:
        tensors: float32 arrays by name; a matrix is [inputs K, outputs N].
        storage: one of `STORAGES`; ``int8`` falls back to float16 where K is no multiple of 32.
    """
    if storage not in STORAGES:
        raise ValueError(f"storage is one of {', '.join(STORAGES)}; got {storage!r}")
    packed: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        if storage == "fp32" or tensor.ndim < 2 or tensor.size < _SMALLEST:
            packed[name] = tensor
        elif storage == "int8" and tensor.shape[0] % BLOCK == 0 and tensor.ndim == 2:
            packed[name + _QUANTISED], packed[name + _SCALE] = quantise(tensor)
        else:
            packed[name] = tensor.astype(np.float16)
    return packed


def unpack(path: Path) -> dict[str, FloatArray]:
    """Float32 arrays by name, from an ``.npz`` that `pack` filled."""
    with np.load(path, allow_pickle=False) as stored:
        tensors = {}
        for key in stored.files:
            if key.endswith(_QUANTISED):
                name = key.removesuffix(_QUANTISED)
                tensors[name] = dequantise(stored[key], stored[name + _SCALE])
            elif not key.endswith(_SCALE):
                tensors[key] = stored[key].astype(np.float32)
    return tensors


def quantise(matrix: FloatArray) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Symmetric round-to-nearest over blocks of 32 inputs.

    Shapes: [K, N] -> codes [K, N], scales [K / 32, N].
    """
    blocks = matrix.reshape(-1, BLOCK, matrix.shape[1])
    scales = (np.abs(blocks).max(axis=1) / 127).astype(np.float16)
    # Rounding uses the scale as stored, so that the float16 of it adds no error of its own.
    divisors = np.where(scales == 0, 1, scales).astype(np.float32)[:, None]
    codes = np.clip(np.rint(blocks / divisors), -127, 127).astype(np.int8)
    return codes.reshape(matrix.shape), scales


def dequantise(codes: NDArray[np.int8], scales: NDArray[np.float16]) -> FloatArray:
    """Shapes: codes [K, N], scales [K / 32, N] -> [K, N]."""
    blocks = codes.reshape(-1, BLOCK, codes.shape[1]).astype(np.float32)
    expanded: FloatArray = (blocks * scales.astype(np.float32)[:, None]).reshape(codes.shape)
    return expanded

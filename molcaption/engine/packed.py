"""Weights of a bundle: stored small, computed in float32, or in float16 on a GPU.

The ONNX graphs of a bundle hold no weights; each has an ``.npz`` of the same name beside it. A
matrix is stored as float32, as float16, or in blocks of 32 weights that share a scale: 8-bit
integers, or 4-bit integers with a zero point. All are expanded when they are loaded; those that a
decoder multiplies as integers (onnx_integers.py) are then rounded to a scale a column. Why not
multiply the blocks: from batch 8 on onnxruntime's ``MatMulNBits`` is no faster than float32
(measured in docs/export.md).

Dims: K rows (inputs of a matrix product), N columns, V vocabulary, D width.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
STORAGES = ("fp32", "fp16", "int8", "int4")
_SMALLEST = 4096
"""Tensors with fewer values (biases, norms) stay float32: they cost nothing and matter much."""
_INT8, _INT4, _SCALE, _ZERO = "/int8", "/int4", "/scale", "/zero"
COLUMN_CODES, COLUMN_SCALES = "_quantized", "_scale"
"""Follow the name of a matrix in a graph that multiplies integers."""
_MOST_CODE = 63
"""Of a weight there. Without VNNI instructions two products of full 8 bits overflow 16."""

FloatArray = NDArray[np.float32]
Codes = NDArray[np.uint8]


def pack(
    tensors: Mapping[str, NDArray[Any]], storage_of: Callable[[str], str]
) -> dict[str, NDArray[Any]]:
    """Arrays to put in an ``.npz``.

    Args:
        tensors: arrays by name; a matrix is [K, N]. What is not float32 stays as it is.
        storage_of: one of `STORAGES` for a name; a matrix whose K is no multiple of 32 is stored
            as float16 instead of integers.
    """
    packed: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        storage = storage_of(name)
        if storage not in STORAGES:
            raise ValueError(f"storage is one of {', '.join(STORAGES)}; got {storage!r}")
        whole = storage == "fp32" or tensor.dtype != np.float32
        if whole or tensor.ndim < 2 or tensor.size < _SMALLEST:
            packed[name] = tensor
        elif storage == "fp16" or tensor.ndim > 2 or tensor.shape[0] % BLOCK:
            packed[name] = tensor.astype(np.float16)
        elif storage == "int8":
            packed[name + _INT8], packed[name + _SCALE] = quantise(tensor)
        else:
            parts = quantise_4bit(tensor)
            packed.update(zip((name + _INT4, name + _SCALE, name + _ZERO), parts, strict=True))
    return packed


def unpack(path: Path, dtype: type[np.floating[Any]] = np.float32) -> dict[str, NDArray[Any]]:
    """Arrays by name from an ``.npz`` that `pack` filled, floating-point ones as ``dtype``."""
    with np.load(path, allow_pickle=False) as stored:
        tensors: dict[str, NDArray[Any]] = {}
        for key in stored.files:
            name, _, kind = key.partition("/")
            if kind == "":
                array = stored[key]
                floating = np.issubdtype(array.dtype, np.floating)
                tensors[name] = array.astype(dtype) if floating else array
            elif key.endswith(_INT8):
                whole = dequantise(stored[key], stored[name + _SCALE])
                tensors[name] = whole.astype(dtype, copy=False)
            elif key.endswith(_INT4):
                scales, zeros = stored[name + _SCALE], stored[name + _ZERO]
                whole = dequantise_4bit(stored[key], scales, zeros)
                tensors[name] = whole.astype(dtype, copy=False)
    return tensors


def round_columns(
    tensors: Mapping[str, NDArray[Any]], chosen: Collection[str]
) -> dict[str, NDArray[Any]]:
    """The same arrays, with codes and scales in place of each matrix whose name is ``chosen``."""
    given: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        if name in chosen:
            codes, scales = quantise_columns(tensor)
            given[name + COLUMN_CODES], given[name + COLUMN_SCALES] = codes, scales
        else:
            given[name] = tensor
    return given


def quantise_columns(matrix: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Codes [K, N] of 7 bits and a scale a column [N], whose product is nearly the matrix."""
    scales = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-30)) / np.float32(_MOST_CODE)
    codes = np.rint(matrix / scales).astype(np.int8)
    return codes, scales


def pack_rows(table: FloatArray, storage: str) -> NDArray[Any]:
    """A table [V, D] to put in an ``.npy``, of which single rows are read: see `take_rows`.

    With 8 bits (for ``int4`` too) a row is a record of its codes and their scales; where D is no
    multiple of 32 it is float16.
    """
    if storage == "fp32":
        return table
    if storage == "fp16" or table.shape[1] % BLOCK:
        return table.astype(np.float16)
    codes, scales = quantise(np.ascontiguousarray(table.T))
    packed = np.empty(
        len(table), [("codes", np.int8, (len(codes),)), ("scales", np.float16, (len(scales),))]
    )
    packed["codes"], packed["scales"] = codes.T, scales.T
    return packed


def take_rows(table: NDArray[Any], places: NDArray[np.int64]) -> FloatArray:
    """Rows of what `pack_rows` made; shapes: places [B] -> [B, D]."""
    taken = table[places]
    if taken.dtype.names is None:
        return taken.astype(np.float32)
    return dequantise(taken["codes"].T, taken["scales"].T).T


def quantise(matrix: FloatArray) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Symmetric round-to-nearest over blocks of 32 rows.

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
    blocks *= scales.astype(np.float32)[:, None]
    return blocks.reshape(codes.shape)


def quantise_4bit(matrix: FloatArray) -> tuple[Codes, NDArray[np.float16], Codes]:
    """onnxruntime's k-quant over blocks of 32 rows: scale and zero point fitted by weighted search.

    Shapes: [K, N] -> codes [K / 2, N] (a byte holds row 2k in its low half, 2k + 1 in its high
    one), scales and zero points [K / 32, N].
    """
    from onnxruntime.quantization.neural_compressor import weight_only  # with the export packages

    rows, columns = matrix.shape
    codes, scales, zeros = weight_only.quant_tensor_k_quant_cpu(matrix.T, 4, BLOCK)
    whole = np.ascontiguousarray(codes.astype(np.uint8).reshape(columns, rows).T)
    shape = (columns, rows // BLOCK)
    return (
        whole[::2] | whole[1::2] << 4,
        np.ascontiguousarray(scales.astype(np.float16).reshape(shape).T),
        np.ascontiguousarray(zeros.reshape(shape).T),
    )


def dequantise_4bit(codes: Codes, scales: NDArray[np.float16], zeros: Codes) -> FloatArray:
    """Shapes: codes [K / 2, N], scales and zero points [K / 32, N] -> [K, N]."""
    whole = np.stack([codes & 15, codes >> 4], axis=1)
    blocks = whole.reshape(-1, BLOCK, codes.shape[1]).astype(np.float32)
    blocks -= zeros[:, None]
    blocks *= scales.astype(np.float32)[:, None]
    return blocks.reshape(-1, codes.shape[1])

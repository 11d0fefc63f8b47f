"""A decoder whose products are of 8-bit integers: a scale for each row, and for each column.

A row of activations is rounded by the largest of its own values alone, and sums of integers are
exact in whatever order they are taken. So a row comes out the same to the bit whatever stands
beside it in a batch, which onnxruntime's own dynamic quantisation, with one scale for all, does
not give. Source: the vector-wise products of Dettmers et al., "LLM.int8()", NeurIPS 2022.

Dims: M rows, K inputs and N outputs of a product.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from molcaption.engine.packed import FloatArray

_MOST_CODE = 63
"""Of a weight. Without VNNI instructions two products of full 8 bits overflow 16."""
_MOST_ACTIVATION = 127
_CONSTANTS: dict[str, NDArray[Any]] = {
    "row/axes": np.array([-1], np.int64),
    "row/least": np.array(1e-30, np.float32),  # a row of zeros is not divided by zero
    "row/inverse": np.array(1 / _MOST_ACTIVATION, np.float32),
    "row/one": np.array(1, np.float32),
    "row/middle": np.array(128, np.uint8),
}
_CONTRIB = "com.microsoft"


def multiply_integers(model: onnx.ModelProto, chosen: Callable[[str], bool]) -> None:
    """Turn products of activations and weights into such of integers.

    Weights keep a scale a column, in ``NAME_scale`` [N] beside ``NAME_quantized`` [K, N].

    Args:
        model: computes in float32.
        chosen: whether the product of a node of that name is turned.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    rounded: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in weights or not chosen(node.name):
            nodes.append(node)
            continue
        activations, name = node.input
        if activations not in rounded:  # queries, keys and values have their input in common
            nodes += _round_rows(activations)
            rounded.add(activations)
        codes, scales = quantise_columns(numpy_helper.to_array(weights[name]))
        made: dict[str, NDArray[Any]] = {f"{name}_quantized": codes, f"{name}_scale": scales}
        graph.initializer.extend(numpy_helper.from_array(a, key) for key, a in made.items())
        graph.initializer.remove(weights[name])
        nodes += _product(node, activations, name)
    graph.initializer.extend(numpy_helper.from_array(a, key) for key, a in _CONSTANTS.items())
    del graph.node[:]
    graph.node.extend(nodes)
    if all(opset.domain != _CONTRIB for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))


def quantise_columns(matrix: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Codes [K, N] of 7 bits and a scale a column [N], whose product is nearly the matrix."""
    scales = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-30)) / np.float32(_MOST_CODE)
    codes = np.rint(matrix / scales).astype(np.int8)
    return codes, scales


def _round_rows(name: str) -> Iterator[onnx.NodeProto]:
    """``NAME/codes`` (unsigned, 128 is zero) of an activation [..., K], and ``NAME/scale``."""
    size, most, clear, scale, share = (
        f"{name}/{part}" for part in ("size", "most", "clear", "scale", "share")
    )
    yield helper.make_node("Abs", [name], [size])
    yield helper.make_node("ReduceMax", [size, "row/axes"], [most], keepdims=1)
    yield helper.make_node("Max", [most, "row/least"], [clear])
    yield helper.make_node("Mul", [clear, "row/inverse"], [scale])
    yield helper.make_node("Div", [name, scale], [share])
    codes = [share, "row/one", "row/middle"]
    yield helper.make_node("QuantizeLinear", codes, [f"{name}/codes"])


def _product(node: onnx.NodeProto, activations: str, weights: str) -> Iterator[onnx.NodeProto]:
    """The product in integers, in units of the columns' scales, and then of the rows'."""
    whole = f"{node.output[0]}/rows"
    given = [f"{activations}/codes", f"{weights}_quantized", "row/one", f"{weights}_scale"]
    yield helper.make_node(
        "MatMulIntegerToFloat", [*given, "row/middle"], [whole], node.name, domain=_CONTRIB
    )
    yield helper.make_node("Mul", [whole, f"{activations}/scale"], [node.output[0]])

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

from molcaption.engine.packed import COLUMN_CODES, COLUMN_SCALES, FloatArray, round_columns

_MOST_ACTIVATION = 127
_CONSTANTS: dict[str, NDArray[Any]] = {
    "row/axes": np.array([-1], np.int64),
    "row/least": np.array(1e-30, np.float32),  # a row of zeros is not divided by zero
    "row/inverse": np.array(1 / _MOST_ACTIVATION, np.float32),
    "row/one": np.array(1, np.float32),
    "row/middle": np.array(128, np.uint8),
}
_CONTRIB = "com.microsoft"


def multiply_integers(
    model: onnx.ModelProto, chosen: Callable[[str], bool]
) -> dict[str, FloatArray]:
    """Turn products of activations and weights into such of integers.

    Weights get a scale a column, in ``NAME_scale`` [N] beside ``NAME_quantized`` [K, N].

    Args:
        model: computes in float32.
        chosen: whether the product of a node of that name is turned.

    Returns:
        The matrices that are no longer in the model, by name.
    """
    graph = model.graph
    places = {tensor.name: place for place, tensor in enumerate(graph.initializer)}
    nodes: list[onnx.NodeProto] = []
    turned: dict[str, FloatArray] = {}
    rounded: set[str] = set()
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in places or not chosen(node.name):
            nodes.append(node)
            continue
        activations, name = node.input
        if activations not in rounded:  # queries, keys and values have their input in common
            nodes += _round_rows(activations)
            rounded.add(activations)
        turned[name] = numpy_helper.to_array(graph.initializer[places[name]])
        nodes += _product(node, activations, name)
    given = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    constants = {**round_columns(given, turned), **_CONSTANTS}
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(numpy_helper.from_array(array, n) for n, array in constants.items())
    graph.node.extend(nodes)
    if all(opset.domain != _CONTRIB for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    return turned


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
    given = [f"{activations}/codes", weights + COLUMN_CODES, "row/one", weights + COLUMN_SCALES]
    yield helper.make_node(
        "MatMulIntegerToFloat", [*given, "row/middle"], [whole], node.name, domain=_CONTRIB
    )
    yield helper.make_node("Mul", [whole, f"{activations}/scale"], [node.output[0]])

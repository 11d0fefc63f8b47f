"""A graph of a bundle on disk: an ``.onnx`` without weights, an ``.npz`` with them (packed.py)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from molcaption.engine.bundle import GATHER
from molcaption.engine.packed import COLUMN_CODES, COLUMN_SCALES, FloatArray, pack

ROTARY = ("cos_cache", "sin_cache")
_EXTERNAL_BYTES = 1024
"""Smaller constants stay in the graph: onnxruntime reads shapes and axes from them."""


def write_graph(
    model: onnx.ModelProto,
    directory: Path,
    name: str,
    storage_of: Callable[[str], str],
    turned: Mapping[str, FloatArray] | None = None,
) -> None:
    """Save ``NAME.onnx`` without its larger weights, and those packed beside it as ``NAME.npz``.

    Args:
        storage_of: as for `packed.pack`; the rotary tables are float32 in any case.
        turned: matrices of which the graph has codes and scales; stored are they themselves.
    """
    tensors: dict[str, NDArray[Any]] = {}
    derived = {n + end: n for n in turned or {} for end in (COLUMN_CODES, COLUMN_SCALES)}
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if turned and (matrix := derived.get(tensor.name)):
            tensors[matrix] = turned[matrix]
        elif array.dtype in (np.float32, np.float16) and array.nbytes >= _EXTERNAL_BYTES:
            tensors[tensor.name] = array.astype(np.float32)
        else:
            continue
        _point_outside(tensor, f"{name}.npz", array.nbytes)
    _drop_traces(model)
    onnx.save(model, str(directory / f"{name}.onnx"))
    # Angles lose far positions in float16, and the tables are small.
    arrays: dict[str, Any] = pack(tensors, lambda n: "fp32" if n in ROTARY else storage_of(n))
    np.savez(directory / f"{name}.npz", **arrays)


def write_gather(directory: Path) -> None:
    """Save a graph that takes float16 rows of a cache in another order; see runtimes/cache.py."""
    shape = ["slots", "heads", "positions", "width"]
    rows, ordered = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT16, shape)
        for name in ("rows", "ordered")
    )
    order = helper.make_tensor_value_info("order", TensorProto.INT64, ["slots"])
    node = helper.make_node("Gather", ["rows", "order"], ["ordered"], axis=0)
    graph = helper.make_graph([node], "gather", [rows, order], [ordered])
    # Versions that every onnxruntime reads which can run the decoder.
    opsets = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), directory / GATHER)


def _drop_traces(model: onnx.ModelProto) -> None:
    """Forget what the exporter noted about the Python that made each node, paths included."""
    graph = model.graph
    parts: list[Any] = [model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output]
    for part in [*parts, *graph.initializer, *model.functions]:
        del part.metadata_props[:]
        part.ClearField("doc_string")
    for function in model.functions:
        for node in [*function.node, *function.value_info]:
            del node.metadata_props[:]
            node.ClearField("doc_string")


def _point_outside(tensor: TensorProto, location: str, length: int) -> None:
    """Turn an initializer into a reference that the runtime fills in by name."""
    for values in ("raw_data", "float_data", "int32_data"):
        tensor.ClearField(values)
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", "0"), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    tensor.data_location = TensorProto.EXTERNAL

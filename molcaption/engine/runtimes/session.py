"""onnxruntime sessions for the two graphs of a bundle: the bridge and the decoder.

The decoder's keys and values lie in one buffer a layer, bound as past and present at once, so no
step copies them. Rows are captions; the live ones are always the first n rows. Sequences are padded
on the right: onnxruntime's ``GroupQueryAttention`` takes each row's length from its mask.

Dims: B rows, S positions of this step, T positions so far, D width, V vocabulary.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from molcaption.chem.graph import Graph, collate_graphs
from molcaption.data.features import MoleculeView, dense
from molcaption.engine.bundle import DecoderShape
from molcaption.engine.packed import FloatArray

_COMPANION = Graph(
    x=np.zeros((2, 9), np.int64),
    edge_index=np.array([[0, 1], [1, 0]]),
    edge_attr=np.zeros((2, 3), np.int64),
)
"""A made-up molecule that joins every batch. With one row, matrix products take another path and
round differently; with it no batch has one row, and a molecule's tokens are the same to the bit."""


def open_session(graph: Path, weights: Mapping[str, NDArray[Any]], threads: int) -> Any:
    """A CPU session over a graph without weights, given them."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    values = [ort.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
    options.add_external_initializers(list(weights), values)
    return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def available_cores() -> int:
    """Cores this process may use (a container or `taskset` may leave fewer than there are)."""
    return len(os.sched_getaffinity(0))


class BridgeSession:
    """Encoder and projectors.

    One thread, always: onnxruntime adds up ``ScatterND`` without locks, and with more threads
    sums over bonds lose terms at random (onnxruntime issues 18048 and 23396; seen here as
    differences of 0.1). One thread does some hundred molecules a second, far more than decoding.
    """

    def __init__(self, graph: Path, weights: Mapping[str, NDArray[Any]]) -> None:
        self._session = open_session(graph, weights, threads=1)
        shapes = {value.name: value.shape for value in self._session.get_inputs()}
        self._features = int(shapes["features"][1]) if "features" in shapes else 0

    def tokens(self, views: Sequence[MoleculeView]) -> FloatArray:
        """Graph tokens and profile tokens in the decoder's space: [B, Q + R, D]."""
        feed = _graph_feed([view.graph for view in views])
        outputs = ["graph_tokens"]
        if self._features:
            rows = [view.features for view in views if view.features is not None]
            feed["features"] = np.concatenate([dense(rows), np.zeros((1, self._features), "f4")])
            outputs.append("profile_tokens")
        return np.concatenate(self._session.run(outputs, feed), axis=1)[:-1]

    def graph_tokens(self, graphs: Sequence[Graph]) -> FloatArray:
        """Graph tokens alone: [B, Q, D]."""
        feed = _graph_feed(graphs)
        if self._features:  # onnxruntime wants every input, needed or not
            feed["features"] = np.zeros((len(graphs) + 1, self._features), np.float32)
        tokens: FloatArray = self._session.run(["graph_tokens"], feed)[0]
        return tokens[:-1]


def _graph_feed(graphs: Sequence[Graph]) -> dict[str, NDArray[Any]]:
    """A batch of graphs and their companion as inputs of the bridge."""
    batch = collate_graphs([*graphs, _COMPANION])
    return {
        "x": batch.x,
        "edge_index": batch.edge_index,
        "edge_attr": batch.edge_attr,
        "batch": batch.batch,
        "sizes": np.bincount(batch.batch, minlength=batch.num_graphs).astype(np.int64),
    }


class DecoderSession:
    """A decoder with a key/value cache of a fixed number of rows."""

    def __init__(
        self, graph: Path, weights: Mapping[str, NDArray[Any]], shape: DecoderShape, threads: int
    ) -> None:
        self._session = open_session(graph, weights, threads)
        self._shape = shape
        self._cache: list[tuple[str, FloatArray]] = []
        self.capacity = 0

    def allocate(self, rows: int, capacity: int) -> None:
        """Make room for ``rows`` sequences of up to ``capacity`` positions; forgets all rows."""
        shape = (rows, self._shape.kv_heads, capacity, self._shape.head_dim)
        # Untouched pages take no memory, so a generous capacity costs little.
        self._cache = [
            (f"{layer}.{kind}", np.empty(shape, np.float32))
            for layer in range(self._shape.layers)
            for kind in ("key", "value")
        ]
        self.capacity = capacity

    def prefill(self, first: int, embeds: FloatArray, lengths: NDArray[np.int64]) -> FloatArray:
        """Start sequences in rows ``first``, ``first + 1``, …; returns the logits after each.

        Shapes: embeds [B, S, D] padded on the right, lengths [B] -> [B, V].
        """
        return self._run(first, embeds, lengths, lengths - 1)

    def step(self, embeds: FloatArray, lengths: NDArray[np.int64]) -> FloatArray:
        """Append one position to each of the first B rows.

        Shapes: embeds [B, D], lengths [B] counting the new position -> logits [B, V].
        """
        return self._run(0, embeds[:, None], lengths, np.zeros_like(lengths))

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` positions of row ``source`` over row ``target``."""
        for _, buffer in self._cache:
            buffer[target, :, :length] = buffer[source, :, :length]

    def _run(
        self,
        first: int,
        embeds: FloatArray,
        lengths: NDArray[np.int64],
        last_position: NDArray[np.int64],
    ) -> FloatArray:
        rows = len(embeds)
        logits = np.empty((rows, self._shape.vocabulary), np.float32)
        mask = np.arange(lengths.max()) < lengths[:, None]
        binding = self._session.io_binding()
        feed: dict[str, NDArray[Any]] = {
            "inputs_embeds": np.ascontiguousarray(embeds),
            "attention_mask": mask.astype(np.int64),
            "last_position": last_position[:, None],
        }
        for name, array in feed.items():
            _bind(binding.bind_input, name, array)
        for name, buffer in self._cache:
            part = buffer[first : first + rows]
            _bind(binding.bind_input, f"past_key_values.{name}", part)
            _bind(binding.bind_output, f"present.{name}", part)
        _bind(binding.bind_output, "logits", logits)
        self._session.run_with_iobinding(binding)
        return logits


def _bind(bind: Any, name: str, array: NDArray[Any]) -> None:
    """Bind the memory of a contiguous array, without a copy."""
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

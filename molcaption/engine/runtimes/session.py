"""onnxruntime sessions for the two graphs of a bundle: the bridge and the decoder.

The bridge runs on the CPU, the decoder where its bundle was made for. Sequences are padded on the
right: onnxruntime's ``GroupQueryAttention`` takes each row's length from its mask.

Dims: B rows, S positions of this step, T positions so far, D width, V vocabulary.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from molcaption.chem.graph import Graph, collate_graphs
from molcaption.data.features import MoleculeView, dense
from molcaption.engine.bundle import BRIDGE, DECODER, GATHER, DecoderShape
from molcaption.engine.packed import FloatArray, round_columns, unpack
from molcaption.engine.runtimes.cache import Cache, DeviceCache, HostCache, bind_array
from molcaption.errors import MissingError


@dataclass(frozen=True, slots=True)
class Device:
    """Where a decoder runs.

    Attributes:
        provider: onnxruntime's name for what computes there.
        memory: its name for the memory.
        dtype: what the decoder computes in.
    """

    provider: str
    memory: str
    dtype: type[np.floating[Any]]


DEVICES = {
    "cpu": Device("CPUExecutionProvider", "cpu", np.float32),
    "cuda": Device("CUDAExecutionProvider", "cuda", np.float16),
}
"""By the target of a bundle."""

MOST_POSITIONS = 4096
"""Of prompts that a decoder runs together, padding included: the activations of more fill the
memory."""
_SPINNING_US = "20"
"""How long a thread looks for its next share of the work before it sleeps. A product's shares come
some microseconds apart; onnxruntime's own millisecond takes the cores from the workers."""

_COMPANION = Graph(
    x=np.zeros((2, 9), np.int64),
    edge_index=np.array([[0, 1], [1, 0]]),
    edge_attr=np.zeros((2, 3), np.int64),
)
"""A made-up molecule that joins every batch. With one row, matrix products take another path and
round differently; with it no batch has one row, and a molecule's tokens are the same to the bit."""


def open_session(
    graph: Path,
    weights: Mapping[str, NDArray[Any]],
    threads: int,
    provider: str = DEVICES["cpu"].provider,
) -> Any:
    """A session over a graph without weights, given them.

    Raises:
        MissingError: the provider is not the CPU's, and does not start.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPINNING_US)
    values = [ort.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
    options.add_external_initializers(list(weights), values)
    reason = "no GPU, or CUDA's and cuDNN's libraries are not found"
    try:  # onnxruntime's own fallback would print, and go on without the GPU
        session = ort.InferenceSession(
            str(graph), options, providers=[provider], enable_fallback=False
        )
    except (ValueError, RuntimeError) as error:
        if provider == DEVICES["cpu"].provider:
            raise
        session, reason = None, " ".join(str(error).split())[:200]
    if session is None or provider not in session.get_providers():
        raise MissingError(
            f"onnxruntime: {provider} does not start: {reason}; see `molcaption doctor`, or export "
            "the model with --target cpu"
        )
    return session


def available_cores() -> int:
    """Cores this process may use (a container or `taskset` may leave fewer than there are)."""
    return len(os.sched_getaffinity(0))


class BridgeSession:
    """Encoder and projectors.

    One thread, always: onnxruntime adds up ``ScatterND`` without locks, and with more threads
    sums over bonds lose terms at random (onnxruntime issues 18048 and 23396; seen here as
    differences of 0.1). One thread does some hundred molecules a second, far more than decoding.
    """

    def __init__(self, directory: Path) -> None:
        weights = unpack(directory / f"{BRIDGE}.npz")
        self._session = open_session(directory / f"{BRIDGE}.onnx", weights, threads=1)
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
    """A decoder with a key/value cache of a fixed number of slots.

    Raises:
        MissingError: it was made for a device that is not here.
    """

    def __init__(self, directory: Path, shape: DecoderShape, threads: int, target: str) -> None:
        self._device = device = DEVICES[target]
        if device.provider not in ort.get_available_providers():
            raise MissingError(
                f"bundle {directory}: made for {target}, and this onnxruntime has no "
                f"{device.provider}; put onnxruntime-gpu in its place, or export the model with "
                "--target cpu"
            )
        stored = unpack(directory / f"{DECODER}.npz", device.dtype)
        weights = round_columns(stored, shape.integers)
        graph = directory / f"{DECODER}.onnx"
        self._session = open_session(graph, weights, threads, device.provider)
        self._gather = None
        if target != "cpu":
            self._gather = open_session(directory / GATHER, {}, 1, device.provider)
        self._shape = shape
        self._cache: Cache

    def allocate(self, slots: int, positions: int) -> None:
        """Make room for ``slots`` sequences of up to so many positions; forgets all there were."""
        shape = (slots, self._shape.kv_heads, positions, self._shape.head_dim)
        layers = range(self._shape.layers)
        names = [f"{layer}.{kind}" for layer in layers for kind in ("key", "value")]
        if self._gather is None:
            self._cache = HostCache(names, shape)
        else:
            self._cache = DeviceCache(names, shape, self._device.memory, self._gather)

    def prefill(self, first: int, embeds: FloatArray, lengths: NDArray[np.int64]) -> FloatArray:
        """Start sequences in slots ``first``, ``first + 1``, …; returns the logits after each.

        Shapes: embeds [B, S, D] padded on the right, lengths [B] -> [B, V].
        """
        return self._run(first, embeds, lengths, lengths - 1)

    def step(self, embeds: FloatArray, lengths: NDArray[np.int64]) -> FloatArray:
        """Append one position to each of the first B slots.

        Shapes: embeds [B, D], lengths [B] counting the new position -> logits [B, V].
        """
        return self._run(0, embeds[:, None], lengths, np.zeros_like(lengths))

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Copy the first ``length`` positions of slots to others; none is source and target."""
        self._cache.copy(sources, targets, length)

    def _run(
        self,
        first: int,
        embeds: FloatArray,
        lengths: NDArray[np.int64],
        last_position: NDArray[np.int64],
    ) -> FloatArray:
        rows = len(embeds)
        logits = np.empty((rows, self._shape.vocabulary), self._device.dtype)
        mask = np.arange(lengths.max()) < lengths[:, None]
        binding = self._session.io_binding()
        feed: dict[str, NDArray[Any]] = {
            "inputs_embeds": np.ascontiguousarray(embeds, self._device.dtype),
            "attention_mask": mask.astype(np.int64),
            "last_position": last_position[:, None],
        }
        for name, array in feed.items():
            bind_array(binding.bind_input, name, array)
        self._cache.bind(binding, first, rows)
        bind_array(binding.bind_output, "logits", logits)
        self._session.run_with_iobinding(binding)
        return logits.astype(np.float32, copy=False)

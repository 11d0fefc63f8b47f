"""Keys and values of the sequences that a decoder is writing, in main memory or on a GPU.

One buffer a layer and kind, bound as past and as present at once, so that no step copies it. A
sequence has a slot, a row of all buffers; the sequences of a step lie in neighbouring slots.

Shapes: each buffer [slots, key/value heads, positions, head width].
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Shape = tuple[int, int, int, int]
_PAST, _PRESENT = "past_key_values.", "present."


class Cache(Protocol):
    """Room for sequences."""

    def bind(self, binding: Any, first: int, rows: int) -> None:
        """Give the slots ``first``, ``first + 1``, … to a step of ``rows`` sequences."""
        ...

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Copy the first ``length`` positions of slots to others; none is source and target."""
        ...


class HostCache:
    """A cache in main memory, of float32; ``names`` such as ``0.key`` and ``0.value``."""

    def __init__(self, names: Sequence[str], shape: Shape) -> None:
        # Untouched pages take no memory, so a generous capacity costs little.
        self._buffers = {name: np.empty(shape, np.float32) for name in names}

    def bind(self, binding: Any, first: int, rows: int) -> None:
        """See `Cache`."""
        for name, buffer in self._buffers.items():
            part = buffer[first : first + rows]
            bind_array(binding.bind_input, _PAST + name, part)
            bind_array(binding.bind_output, _PRESENT + name, part)

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """See `Cache`."""
        for buffer in self._buffers.values():  # one by one: together they would be copied twice
            for source, target in zip(sources, targets, strict=True):
                buffer[target, :, :length] = buffer[source, :, :length]


class DeviceCache:
    """A cache on a GPU, of float16. numpy cannot reach it, so a graph moves the rows there.

    Args:
        device: onnxruntime's name of it, ``cuda``.
        gather: session of the bundle's ``gather.onnx``.
    """

    def __init__(self, names: Sequence[str], shape: Shape, device: str, gather: Any) -> None:
        def empty() -> Any:
            return ort.OrtValue.ortvalue_from_shape_and_type(shape, np.float16, device, 0)

        self._device, self._gather, self._shape = device, gather, shape
        self._buffers, self._spare = {name: empty() for name in names}, empty()

    def bind(self, binding: Any, first: int, rows: int) -> None:
        """See `Cache`."""
        slot, itemsize = self._shape[1:], np.dtype(np.float16).itemsize
        for name, buffer in self._buffers.items():
            start = buffer.data_ptr() + first * math.prod(slot) * itemsize
            for bind, kind in ((binding.bind_input, _PAST), (binding.bind_output, _PRESENT)):
                bind(kind + name, self._device, 0, np.float16, (rows, *slot), start)

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """See `Cache`; whole slots are copied, all of them, to a spare buffer each time."""
        order = np.arange(self._shape[0])
        order[targets] = sources
        for name, buffer in self._buffers.items():
            binding = self._gather.io_binding()
            binding.bind_ortvalue_input("rows", buffer)
            binding.bind_cpu_input("order", order)
            binding.bind_ortvalue_output("ordered", self._spare)
            self._gather.run_with_iobinding(binding)
            self._buffers[name], self._spare = self._spare, buffer


def bind_array(bind: Any, name: str, array: NDArray[Any]) -> None:
    """Bind the memory of a contiguous array, without a copy."""
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)

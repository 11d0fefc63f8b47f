"""A transformers decoder that writes many captions at once, each at its own length.

Keys and values lie in buffers that are made once; a sequence has a slot, a row of all of them. So a
step over the first R slots and W positions finds the same shapes at the same addresses every time:
on a GPU it is captured once as a CUDA graph and replayed, since starting the kernels of a model
this small takes longer than running them. R is a power of two and W a multiple of 128, so that
there are few graphs.

Dims: S slots, P positions, B sequences that start, T prompt tokens, D width, V vocabulary.
"""

import logging
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import Cache

_log = logging.getLogger(__name__)
_WIDTH = 128
_WARM_UPS = 3
"""Steps before a capture, as PyTorch's notes on CUDA graphs ask: libraries start up lazily."""


class SlotDecoder:
    """Slots of a decoder.

    Args:
        llm: a transformers causal language model.
        slots: S.
        positions: of the longest sequence, its prompt and its caption.
    """

    def __init__(self, llm: Any, slots: int, positions: int) -> None:
        self._llm, self.slots = llm, slots
        self._positions = -(-positions // _WIDTH) * _WIDTH
        self._embedding = llm.get_input_embeddings()
        # The argument's name changed within transformers 5.
        names = signature(llm.forward).parameters
        self._cache_name = "cache" if "cache" in names else "past_key_values"
        self._cache: _SlotCache | None = None
        device = self._embedding.weight.device
        self._tokens = torch.zeros(slots, dtype=torch.long, device=device)
        self._lengths = torch.zeros(slots, dtype=torch.long, device=device)
        self._steps: dict[tuple[int, int], Callable[[], Tensor]] = {}
        self._pool: Any = None  # memory that the graphs share: only one runs at a time

    def start(self, embeds: Tensor, mask: Tensor, slots: Sequence[Sequence[int]]) -> Tensor:
        """Run prompts, and put each into its ``slots``; logits of what follows, [B, V].

        Args:
            embeds: [B, T, D], padded on the left.
            mask: [B, T], 0 where a prompt is padded.
        """
        kept = DynamicCache(config=self._llm.config)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        output = self._llm(
            inputs_embeds=embeds,
            attention_mask=mask,
            position_ids=positions,
            logits_to_keep=1,
            use_cache=True,
            **{self._cache_name: kept},
        )
        if self._cache is None:
            self._cache = _SlotCache(kept, self.slots, self._positions)
        rows = [row for row, places in enumerate(slots) for _ in places]
        flat = [slot for places in slots for slot in places]
        self._cache.put(kept, mask.sum(1), rows, flat)
        logits: Tensor = output.logits[:, -1]
        return logits

    def step(self, tokens: Sequence[int], lengths: Sequence[int]) -> Tensor:
        """Logits after one more token of each of the first slots, [len(tokens), V].

        Args:
            tokens: the token of each slot; anything for a slot that is free.
            lengths: positions that each slot holds already.
        """
        device, n = self._tokens.device, len(tokens)
        rows = min(self.slots, 1 << (n - 1).bit_length())
        width = -(-(max(lengths) + 1) // _WIDTH) * _WIDTH
        self._tokens[:n] = torch.tensor(tokens, device=device)
        self._lengths[:n] = torch.tensor(lengths, device=device)
        if (rows, width) not in self._steps:
            self._steps[rows, width] = self._prepared(rows, width)
        return self._steps[rows, width]()[:n]

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Copy the first ``length`` positions of slots to others."""
        assert self._cache is not None
        for buffer in (*self._cache.keys, *self._cache.values):
            buffer[targets, :, :length] = buffer[sources, :, :length]

    def _prepared(self, rows: int, width: int) -> Callable[[], Tensor]:
        """A step over the first ``rows`` slots and ``width`` positions, as a graph on a GPU."""

        def run() -> Tensor:
            return self._run(rows, width)

        if self._tokens.device.type != "cuda":
            return run
        current, beside = torch.cuda.current_stream(), torch.cuda.Stream()
        beside.wait_stream(current)
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UPS):  # each writes the same keys to the same places
                run()
        current.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        try:
            with torch.cuda.graph(graph, pool=self._pool):
                logits = run()
        except torch.cuda.OutOfMemoryError:
            raise
        except RuntimeError as error:
            reason = str(error).splitlines()[0]
            _log.warning("GPU: steps run one by one, this model cannot be captured: %s", reason)
            return run

        def replay() -> Tensor:
            graph.replay()
            return logits

        return replay

    def _run(self, rows: int, width: int) -> Tensor:
        assert self._cache is not None
        lengths = self._lengths[:rows]
        embeds = self._embedding(self._tokens[:rows])[:, None]
        seen = torch.arange(width, device=lengths.device) <= lengths[:, None]
        hidden = torch.finfo(embeds.dtype).min
        mask = torch.zeros(seen.shape, dtype=embeds.dtype, device=lengths.device)
        mask = mask.masked_fill(~seen, hidden)
        self._cache.narrow(lengths, width)
        output = self._llm(
            inputs_embeds=embeds,
            attention_mask=mask[:, None, None],  # of four dimensions: taken as it is
            position_ids=lengths[:, None],
            use_cache=True,
            **{self._cache_name: self._cache},
        )
        logits: Tensor = output.logits[:, -1]
        return logits


class _SlotCache(Cache):
    """Keys and values of each layer, [S, heads, P, head width], as transformers asks for them.

    Args:
        like: a cache of transformers' own, of the same model.
    """

    def __init__(self, like: Any, slots: int, positions: int) -> None:
        super().__init__(layers=[])

        def empty(tensor: Tensor) -> Tensor:
            return tensor.new_zeros(slots, tensor.shape[1], positions, tensor.shape[3])

        self.keys = [empty(layer.keys) for layer in like.layers]
        self.values = [empty(layer.values) for layer in like.layers]
        self._lengths, self._width = torch.empty(0), 0
        self._rows = torch.arange(slots, device=self.keys[0].device)

    def put(self, kept: Any, lengths: Tensor, rows: Sequence[int], slots: Sequence[int]) -> None:
        """Copy sequences of ``kept``, padded on the left, to the beginning of slots."""
        longest = kept.layers[0].keys.shape[2]
        # Position p of a sequence lies behind its padding; what wraps around is never looked at.
        places = torch.arange(longest, device=lengths.device) + (longest - lengths)[:, None]
        index = (places % longest)[:, None, :, None]
        for ours, theirs in ((self.keys, "keys"), (self.values, "values")):
            for buffer, layer in zip(ours, kept.layers, strict=True):
                tensor = getattr(layer, theirs)
                moved = tensor.gather(2, index.expand_as(tensor))
                buffer[slots, :, :longest] = moved[rows]

    def narrow(self, lengths: Tensor, width: int) -> None:
        """Say of a coming step which positions it adds, one a slot, and how many it looks at."""
        self._lengths, self._width = lengths, width

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Add a position [R, heads, 1, head width]; all that the step looks at."""
        rows = self._rows[: len(self._lengths)]
        found = []
        for buffer, new in (
            (self.keys[layer_idx], key_states),
            (self.values[layer_idx], value_states),
        ):
            buffer[rows, :, self._lengths] = new[:, :, 0]
            found.append(buffer[: len(rows), :, : self._width])
        return found[0], found[1]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Never needed, since every step tells its positions itself."""
        return 0

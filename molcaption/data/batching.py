"""Which examples go together: batches of like length, a pure function of (seed, epoch).

Bit-equal resume rests on that purity: a run that starts again at step k rebuilds the same order
and skips k batches, whatever the process did before.
"""

from collections.abc import Iterator, Sequence

import numpy as np

_POOL_BATCHES = 50
"""Lengths are sorted within pools of about this many batches: enough to make padding small, few
enough that the order of an epoch stays random."""


def token_batches(
    lengths: Sequence[int], batch_tokens: int, *, seed: int, epoch: int
) -> list[list[int]]:
    """Split examples into batches of at most ``batch_tokens`` tokens, padding counted.

    Args:
        lengths: tokens of each example.
        batch_tokens: limit of (examples x longest); an example longer than this is alone.

    Returns:
        Index lists, in random order; every example is in exactly one.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    mean = max(1.0, float(np.mean(lengths)))
    pool = max(1, int(_POOL_BATCHES * batch_tokens / mean))
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        members = sorted(order[start : start + pool].tolist(), key=lambda i: (lengths[i], i))
        batches += _fill(members, lengths, batch_tokens)
    return [batches[i] for i in rng.permutation(len(batches))]


def _fill(members: Sequence[int], lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Cut ``members``, sorted by length, whenever one more would overflow the batch."""
    batch: list[int] = []
    for i in members:
        if batch and (len(batch) + 1) * lengths[i] > batch_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def even_batches(count: int, batch_size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """Split ``count`` examples at random into batches of ``batch_size``; the rest is the last."""
    order = np.random.default_rng([seed, epoch]).permutation(count).tolist()
    return [order[start : start + batch_size] for start in range(0, count, batch_size)]

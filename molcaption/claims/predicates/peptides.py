"""Structural tests on peptides, see `molcaption.claims.predicates`."""

from collections.abc import Callable

PREDICATES: dict[str, Callable[..., int]] = {}

"""Structural tests on chains, see `molcaption.claims.predicates`."""

from collections.abc import Callable

PREDICATES: dict[str, Callable[..., int]] = {}

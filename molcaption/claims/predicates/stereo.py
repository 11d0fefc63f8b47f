"""Structural tests on stereo, see `molcaption.claims.predicates`."""

from collections.abc import Callable

PREDICATES: dict[str, Callable[..., int]] = {}

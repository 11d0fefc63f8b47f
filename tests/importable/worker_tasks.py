"""What the tests have workers do: they import it by name, so it is on pytest's `pythonpath`."""

import os
import signal

SPINS, CRASHES = 7, 11


def ten() -> int:
    return 10


def fail() -> int:
    raise ValueError("no share")


def plus(item: int, shared: int) -> int:
    return item + shared


def process_id(item: int, shared: int) -> int:
    return os.getpid()


def hostile(item: int, shared: int) -> int:
    """Computes inside C with the interpreter's lock held, as RDKit does, or dies there."""
    if item == SPINS:
        sum(range(10**13))
    if item == CRASHES:
        os.kill(os.getpid(), signal.SIGSEGV)
    return item


def wrong(item: int, shared: int) -> int:
    raise ValueError(f"item {item}")

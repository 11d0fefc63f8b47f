"""A connection to a Ray cluster, whose words and signals stay as a command's are."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from molcaption.errors import MissingError

_LONGEST = 300
"""Characters of what Ray says of an error; it can be pages."""


@contextmanager
def connected() -> Iterator[None]:
    """A connection to Ray for the time of the block, unless there is one already.

    Raises:
        MissingError: no cluster can be had, or it gives up.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network unless asked
    import ray
    from ray.exceptions import RayError, RayTaskError, UserCodeException

    ours = not ray.is_initialized()
    # Ray prints of processes that died, also as it shuts down, and stdout is for data.
    with redirect_stdout(sys.stderr):
        try:
            if ours:
                _connect()
            yield
        except (RayTaskError, UserCodeException):
            raise  # a mistake of ours
        except RayError as error:
            raise _gave_up(error) from error
        finally:
            if ours:
                ray.shutdown()


def _connect() -> None:
    """Start Ray or find it; what it says goes where the words of other packages go."""
    import ray.data

    for name in ("ray", "ray.data"):
        logger = logging.getLogger(name)
        for handler in logger.handlers[:]:
            if isinstance(handler, logging.StreamHandler):
                logger.removeHandler(handler)
        logger.propagate = True
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(configure_logging=False, log_to_driver=False, include_dashboard=False)
    except ConnectionError as error:
        raise _gave_up(error) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray puts its own there


def _gave_up(error: Exception) -> MissingError:
    reason = " ".join(str(error).split())[:_LONGEST]
    return MissingError(f"Ray: {reason}; the same command goes on from here")

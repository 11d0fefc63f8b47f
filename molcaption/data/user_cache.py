"""Where things are kept that can be made again, only slower: ``~/.cache/molcaption``."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/molcaption``, or that of the user's home; it may not exist yet.

    Raises:
        RuntimeError: nobody knows where the user's home is.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "molcaption"

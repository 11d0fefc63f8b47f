"""Finds what ships with the package: the default captioner and the recipes.

A wheel carries them inside the package; a checkout, installed editable or not at all, has them
beside it at the top of the repository. Both are looked at, so no copy has to be kept.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
DEFAULT_MODEL = "exports/mini"


def shipped_path(relative: str) -> Path | None:
    """Where `relative` (such as `exports/mini` or `recipes/mini.yaml`) lies; None if it does not
    ship with this installation."""
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / relative).exists():
            return root / relative
    return None

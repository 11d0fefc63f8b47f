"""Finds what ships with the package: the default captioner and the recipes.

A wheel carries them inside the package; a checkout, installed editable or not at all, has them
beside it at the top of the repository. Both are looked at, so no copy has to be kept.
"""

from pathlib import Path

from molcaption.errors import MissingError

_PACKAGE = Path(__file__).resolve().parent
DEFAULT_MODEL = "exports/mini"


def shipped_path(relative: str) -> Path | None:
    """Where `relative` (such as `exports/mini` or `recipes/mini.yaml`) lies; None if it does not
    ship with this installation."""
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / relative).exists():
            return root / relative
    return None


def model_path(model: str | Path | None) -> Path:
    """``model``, or where the default captioner lies if it is None.

    Raises:
        MissingError: None is given and none ships.
    """
    if model is not None:
        return Path(model)
    shipped = shipped_path(DEFAULT_MODEL)
    if shipped is None:
        raise MissingError(
            f"no captioner ships with this installation ({DEFAULT_MODEL} is missing); "
            "name one with --model DIR"
        )
    return shipped

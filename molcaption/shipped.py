"""Finds captioners and recipes: what ships with the package, and models on the Hugging Face hub.

A wheel carries them inside the package; a checkout, installed editable or not at all, has them
beside it at the top of the repository. Both are looked at, so no copy has to be kept.
"""

import logging
import re
from pathlib import Path

from molcaption.errors import MissingError

_log = logging.getLogger(__name__)
_HUB_NAME = re.compile(r"(\w[\w.-]*)/(\w[\w.-]*)")
_MODEL_FILES = ("*.json", "*.safetensors", "*.onnx", "*.npz", "*.npy")
"""All that models and bundles are made of; pickled weights stay on the hub."""

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
    """Where ``model`` lies, or the default captioner if it is None.

    Args:
        model: a folder, or the name of a model on the hub such as ``org/name``, whose copy in the
            hub's cache is brought up to date. Where ``org`` is a folder here, a path was meant:
            one that is mistyped is not looked for on the network.

    Raises:
        MissingError: None is given and none ships, or the hub's model is not to be had.
    """
    if model is not None:
        return _from_hub(str(model)) if is_hub_name(str(model)) else Path(model)
    shipped = shipped_path(DEFAULT_MODEL)
    if shipped is None:
        raise MissingError(
            f"no captioner ships with this installation ({DEFAULT_MODEL} is missing); "
            "name one with --model DIR"
        )
    return shipped


def is_hub_name(name: str) -> bool:
    """Whether ``org/name`` is meant to be found on the hub."""
    named = _HUB_NAME.fullmatch(name)
    return named is not None and not Path(named[1]).exists()


def _from_hub(name: str) -> Path:
    """The folder of a hub model in the hub's cache, where ``HF_HUB_OFFLINE`` leaves it as it is."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()  # bars of single files between our own lines say nothing
    _log.info("%s: no folder of this name; looking on the Hugging Face hub", name)
    try:
        return Path(snapshot_download(name, allow_patterns=list(_MODEL_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, ConnectionError) as error:
        why = "HF_HUB_OFFLINE is set and it is not in the hub's cache"
        if not constants.HF_HUB_OFFLINE:
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MissingError(
            f"model {name}: no such folder, and not to be had from the Hugging Face hub: {why}; "
            "give a folder made by `molcaption merge` or `molcaption export`"
        ) from error

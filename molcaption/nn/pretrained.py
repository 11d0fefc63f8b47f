"""Files of a backbone that exists already: found, loaded, or refused in one line."""

import os
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from safetensors import SafetensorError

from molcaption.errors import MissingError
from molcaption.nn.gguf import is_gguf


def from_pretrained(kind: Any, path: str, **options: Any) -> Any:
    """What ``kind`` makes of the files at ``path``: a tokenizer, or a model.

    Local files come first, then the hub's cache, and the hub itself unless HF_HUB_OFFLINE is set.

    Args:
        kind: an ``Auto`` class of transformers.
        options: what its ``from_pretrained`` takes.

    Raises:
        MissingError: nothing that can be loaded is in reach.
    """
    where = path
    if is_gguf(path):
        where, options["gguf_file"] = str(Path(path).parent), Path(path).name
    try:
        return kind.from_pretrained(where, **options)
    except ImportError as error:
        raise MissingError(
            f"backbone {path}: {_first_line(error)}; pip install 'molcaption[train]'"
        ) from error
    except (OSError, ValueError, SafetensorError) as error:
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise MissingError(
            f"backbone {path}: cannot be loaded{offline}: {_first_line(error)}; give a local "
            "directory with --set backbone.path=DIR"
        ) from error


def weight_files(path: str) -> list[Path]:
    """Files of a backbone's weights, also where they lie in the hub's cache; none if unknown."""
    folder = Path(path)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        try:
            config = try_to_load_from_cache(path, "config.json")
        except HFValidationError:  # a path to nowhere is no hub name
            config = None
        if not isinstance(config, str):
            return []
        folder = Path(config).parent
    return sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

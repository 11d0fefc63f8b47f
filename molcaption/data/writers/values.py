"""Values as JSON and as text, the same in every text format.

Strict JSON has no NaN, so it becomes null. Types that JSON lacks (dates, decimals, bytes) become
text. Half surrogates, which no UTF-8 file can hold, become U+FFFD.
"""

import json
import math
from collections.abc import Mapping
from typing import Any


def to_json(value: Any) -> str:
    """``value`` as one line of strict JSON."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def to_text(value: Any) -> str | None:
    """``value`` as a cell: text as it is, lists and structs as JSON, None and NaN as None."""
    value = _plain(value)
    if value is None or isinstance(value, str):
        return value
    return to_json(value) if isinstance(value, (dict, list, bool)) else str(value)


def clean(text: str) -> str:
    """``text`` without half surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8") if not _encodable(text) else text


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:  # noqa: PLR0911 (one return a type)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return value if value.isascii() else clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if hasattr(value, "tolist"):  # numpy
        return _plain(value.tolist())
    return str(value)

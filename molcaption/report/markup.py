"""HTML that cannot be broken by what users give: text is escaped where it is put in.

Only `Html` goes into an element as it is, and only `tag` and this package's own drawings make
it. No template engine: a page of tables and drawings is easier to follow as calls that nest.
"""

import re
from html import escape

# What browsers refuse or hide: control characters, lone surrogates, non-characters, and the
# overrides of writing direction, with which a text could rearrange what stands beside it.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    """``value`` escaped; one replacement character stands for each that cannot be shown."""
    return Html(escape(_UNPRINTABLE.sub("\ufffd", str(value))))


def tag(name: str, *content: object, **attributes: object) -> Html:
    """The element ``name``; content and attributes that are None are left out.

    Args:
        attributes: ``class_`` stands for ``class``, other underscores for hyphens.
    """
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opened = "".join(f' {key}="{text(value)}"' for key, value in pairs if value is not None)
    return Html(f"<{name}{opened}>{join(*content)}</{name}>")


def join(*content: object) -> Html:
    """Pieces of HTML and text in a row."""
    pieces = (piece for piece in content if piece is not None)
    return Html("".join(piece if isinstance(piece, Html) else text(piece) for piece in pieces))

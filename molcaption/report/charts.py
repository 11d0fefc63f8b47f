"""Histograms and bars as inline SVG: rectangles and a few words, in the page's own colours."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from molcaption.report.markup import Html, join, tag

BINS = 20
_WIDTH, _HEIGHT, _MARGIN = 300, 120, 18


def histogram(title: str, values: Iterable[float | None], top: float | None = 1.0) -> Html | None:
    """Distribution of ``values`` from 0 to ``top`` (their largest, if None) as a <figure>.

    Values that are not there (or not finite) are counted in the caption below; None if none is.
    """
    given = list(values)
    known = [value for value in given if value is not None and math.isfinite(value)]
    if not known:
        return None
    top = top or max(math.ceil(max(known)), 1)
    counts, _ = np.histogram(np.clip(known, 0, top), bins=BINS, range=(0, top))
    mean, median = float(np.mean(known)), float(np.median(known))
    absent = len(given) - len(known)
    said = f"{title}: mean {mean:.3g}, median {median:.3g}, {len(known):,} captions"
    caption = tag(
        "figcaption", tag("b", title), f" mean {mean:.3g}, median {median:.3g}",
        f", {absent:,} without" if absent else None,
    )  # fmt: skip
    return tag("figure", caption, _plot(counts.tolist(), top, mean, said), class_="histogram")


def _plot(counts: Sequence[int], top: float, mean: float, said: str) -> Html:
    tallest, step, floor = max(counts), _WIDTH / len(counts), _HEIGHT - _MARGIN
    bars = []
    for place, count in enumerate(counts):
        height = (floor - _MARGIN) * count / tallest
        lower, upper = (top * edge / len(counts) for edge in (place, place + 1))
        bars.append(
            _bar(place * step + 1, floor - height, step - 2, height,
                 f"{lower:.3g} to {upper:.3g}: {count:,} captions")
        )  # fmt: skip
    at = f"{_WIDTH * min(max(mean / top, 0), 1):.1f}"
    return tag(
        "svg", tag("title", said), *bars,
        tag("line", x1=0, x2=_WIDTH, y1=floor, y2=floor, class_="axis"),
        tag("line", x1=at, x2=at, y1=_MARGIN, y2=floor, class_="mean"),
        *[_tick(_WIDTH * part, f"{top * part:.3g}", anchor) for part, anchor in _TICKS],
        tag("text", f"{tallest:,}", x=0, y=_MARGIN - 6),
        role="img", viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
    )  # fmt: skip


_TICKS = ((0, "start"), (0.5, "middle"), (1, "end"))


def _tick(x: float, label: str, anchor: str) -> Html:
    return tag("text", label, x=f"{x:g}", y=_HEIGHT - 4, text_anchor=anchor)


def _bar(x: float, y: float, width: float, height: float, said: str, kind: str = "bar") -> Html:
    box = {"x": x, "y": y, "width": width, "height": height}
    return tag("rect", tag("title", said), class_=kind, **{k: f"{v:.5g}" for k, v in box.items()})


def stacked_bar(parts: Sequence[tuple[str, int, str]], whole: int) -> Html:
    """One horizontal bar of ``(class, count, what it is)`` parts, ``whole`` being its full width.

    Its numbers have to stand in words beside it: a screen reader skips it.
    """
    bars, start = [], 0.0
    for kind, count, said in parts:
        width = 100 * count / max(whole, 1)
        bars.append(_bar(start, 0, width, 10, f"{said}: {count:,}", kind))
        start += width
    return tag(
        "svg", join(*bars),
        aria_hidden="true", viewBox="0 0 100 10", preserveAspectRatio="none", class_="stack",
    )  # fmt: skip

"""Line charts as SVG that stands alone: a file of its own, light or dark as its viewer is.

Lines differ by colour, by dashes and by their place in the legend, which also tells their last
value: nobody has to tell colours apart.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from molcaption.report.markup import Html, tag

WIDTH, HEIGHT = 340, 216
"""Of one chart, in pixels."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 62, 22
_TICKS = 4  # about so many on an axis
_LEGEND_COLUMNS = 2
_STYLE = """
svg { font: 11px system-ui, "DejaVu Sans", sans-serif; --ink: #1c2127; --faint: #59636e;
  --line: #d5dbe1; --paper: #fff; --c0: #0b62a4; --c1: #c25400; --c2: #00795c; --c3: #9a4d86;
  --c4: #59636e; }
@media (prefers-color-scheme: dark) { svg { --ink: #e4e8ec; --faint: #9da8b3; --line: #364049;
  --paper: #14181d; --c0: #74bdf2; --c1: #ffa869; --c2: #4fd0ae; --c3: #dd9cc9; --c4: #9da8b3; } }
rect.paper { fill: var(--paper); }
text { fill: var(--faint); } text.title { fill: var(--ink); font-weight: 600; font-size: 12px; }
.grid { stroke: var(--line); } .bar { fill: var(--c0); }
polyline, .sample { fill: none; stroke-width: 1.6; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); stroke-dasharray: 5 3; }
.c2 { stroke: var(--c2); stroke-dasharray: 1.5 2.5; }
.c3 { stroke: var(--c3); stroke-dasharray: 8 3 2 3; } .c4 { stroke: var(--c4); }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity over steps: (step, value) pairs, finite values only."""

    name: str
    points: Sequence[tuple[float, float]]


def sheet(title: str, rows: Sequence[Sequence[Html]]) -> str:
    """Charts in rows, as the text of one SVG file.

    Args:
        title: what a screen reader says of the file.
    """
    width, height = WIDTH * max(len(row) for row in rows), HEIGHT * len(rows)
    placed = [
        tag("g", chart, transform=f"translate({WIDTH * x} {HEIGHT * y})")
        for y, row in enumerate(rows)
        for x, chart in enumerate(row)
    ]
    return tag(
        "svg", tag("title", title), tag("style", Html(_STYLE)),
        tag("rect", width=width, height=height, class_="paper"), *placed,
        xmlns="http://www.w3.org/2000/svg", role="img", viewBox=f"0 0 {width} {height}",
        width=width, height=height,
    )  # fmt: skip


def line_chart(title: str, lines: Iterable[Line]) -> Html | None:
    """Lines over steps; None if there is nothing to draw."""
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    steps = [step for line in lines for step, _ in line.points]
    values = [value for line in lines for _, value in line.points]
    across = _Axis(0, max(steps), _LEFT, WIDTH - _RIGHT)
    up = _Axis(min(*values, 0), max(values), HEIGHT - _BOTTOM, _TOP)
    return tag(
        "g", tag("text", title, x=_LEFT, y=14, class_="title"), *_legend(lines),
        *[_grid(up.at(tick), _number(tick)) for tick in up.ticks()],
        *[_under(across.at(tick), _number(tick)) for tick in across.ticks()],
        *[_polyline(line, n, across, up) for n, line in enumerate(lines)],
    )  # fmt: skip


def bar_chart(title: str, bars: Sequence[tuple[str, float]]) -> Html | None:
    """Labelled bars side by side; None if there is none."""
    if not bars:
        return None
    up = _Axis(0, max(value for _, value in bars), HEIGHT - _BOTTOM, _TOP)
    wide = (WIDTH - _LEFT - _RIGHT) / len(bars)
    drawn = []
    for n, (label, value) in enumerate(bars):
        x, y = _LEFT + n * wide, up.at(value)
        box = {"x": f"{x + 1:.1f}", "y": f"{y:.1f}", "width": f"{wide - 2:.1f}"}
        said = tag("title", f"{label}: {value:g}")
        drawn.append(tag("rect", said, **box, height=f"{up.at(0) - y:.1f}", class_="bar"))
        drawn.append(_under(x + wide / 2, label))
    grid = [_grid(up.at(tick), _number(tick)) for tick in up.ticks()]
    return tag("g", tag("text", title, x=_LEFT, y=14, class_="title"), *grid, *drawn)


class _Axis:
    """Values to pixels, with round ticks."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        span = high - low or abs(high) or 1.0
        self.low, self.high, self._first, self._last = low, low + span, first, last
        exact = span / _TICKS
        power = 10 ** math.floor(math.log10(exact))
        self._step = next(power * n for n in (1, 2, 5, 10) if power * n >= exact * (1 - 1e-9))

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        first = math.ceil(self.low / self._step - 1e-9)
        last = math.floor(self.high / self._step + 1e-9)
        return [n * self._step for n in range(first, last + 1)]


def _polyline(line: Line, n: int, across: _Axis, up: _Axis) -> Html:
    points = [f"{across.at(step):.1f},{up.at(value):.1f}" for step, value in line.points]
    points = points * 2 if len(points) == 1 else points
    said = tag("title", f"{line.name}: {line.points[-1][1]:.4g} at the end")
    return tag("polyline", said, points=" ".join(points), class_=f"c{n % 5}")


def _legend(lines: Sequence[Line]) -> list[Html]:
    """Sample, name and last value of each line, two beside each other."""
    wide = (WIDTH - _LEFT) / _LEGEND_COLUMNS
    parts = []
    for n, line in enumerate(lines):
        x, y = _LEFT + n % _LEGEND_COLUMNS * wide, 27 + n // _LEGEND_COLUMNS * 12
        parts.append(tag("line", x1=f"{x:.0f}", x2=f"{x + 14:.0f}", y1=y - 4, y2=y - 4,
                         class_=f"sample c{n % 5}"))  # fmt: skip
        parts.append(tag("text", f"{line.name} {line.points[-1][1]:.3g}", x=f"{x + 18:.0f}", y=y))
    return parts


def _grid(y: float, label: str) -> Html:
    line = tag("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid")
    return tag("g", line, tag("text", label, x=_LEFT - 5, y=f"{y + 4:.1f}", text_anchor="end"))


def _under(x: float, label: str) -> Html:
    return tag("text", label, x=f"{x:.1f}", y=HEIGHT - 6, text_anchor="middle")


def _number(value: float) -> str:
    return f"{value:.6g}"

"""A chart of scores over time as SVG, in one of two sizes; its colours are those of the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from tasks.charts import (
    LEAST,
    Scale,
    fit,
    line,
    marker,
    number,
    path,
    scale,
    tag,
    text,
    tick_label,
    time_scale,
    title,
    width,
)
from tasks.trends.history.style import Style

FEW = 40  # up to so many entries each point has whiskers; beyond, the intervals are a band
MANY = 90  # beyond, the marks of nights are dots
MARKS = {"run": (1, 4.4), "night": (0, 3.2), "regression": (4, 5.5), "gain": (2, 5.5)}  # shape and size
NAME, TICK = 13.0, 12.0  # sizes of text, as of the page's style
_APART = 15.0  # from one line's name to the next

Tone = Literal["", "regression", "gain"]


@dataclass(frozen=True)
class Dot:
    """A score to draw, in points. part: dots of one part are joined by a line. title: what hovering over it says."""

    at: datetime
    value: float
    low: float | None
    high: float | None
    nightly: bool
    tone: Tone
    part: int
    title: str


@dataclass(frozen=True)
class Line:
    """An arm's scores, the earliest first; at least one."""

    label: str
    style: Style
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Wall:
    """A moment that scores are not compared across."""

    at: datetime
    label: str
    title: str


@dataclass(frozen=True)
class Size:
    """A drawing's size and margins in pixels. ticks: of time, at most. names: whether lines and marks say theirs."""

    name: str
    width: float
    height: float
    left: float
    right: float
    ticks: int
    names: bool
    top: float = 26.0
    bottom: float = 24.0


WIDE = Size("wide", 1080, 330, 44, 200, 8, True)
NARROW = Size("narrow", 360, 270, 34, 12, 4, False)


@dataclass(frozen=True)
class _Place:
    """Where a dot is; ``ends`` are those of its interval."""

    x: float
    y: float
    ends: tuple[float, float] | None
    dot: Dot


def draw(lines: Sequence[Line], walls: Sequence[Wall], size: Size, name: str, with_zero: bool = False) -> Markup:
    """Draw lines of scores.

    Args:
        lines: at least one. walls: the earliest first. name: for those who cannot see it.
        with_zero: whether the scores are differences, of which 0 is shown.
    """
    moments = sorted({dot.at for each in lines for dot in each.dots})
    across = time_scale(moments[0], moments[-1], size.left + 12, size.width - size.right - 12, size.ticks)
    up = _upwards(lines, size, with_zero)
    few, small = len(moments) <= FEW, len(moments) > (MANY if size.names else FEW)
    gap = (across.end - across.start) / max(len(moments) - 1, 1)
    places = [_places(each, across, up, _aside(i, len(lines), gap)) for i, each in enumerate(lines)]
    drawn = [*_axes(across, up, size, with_zero), *_walls(walls, across, size)]
    drawn += [tag("g", *_curve(p, few), **of.style.attributes()) for of, p in zip(lines, places, strict=True)]
    drawn += _names(lines, [p[-1] for p in places], size) if size.names else []
    drawn += [tag("g", *_marks(p, size, small), **of.style.attributes()) for of, p in zip(lines, places, strict=True)]
    box = {"viewBox": f"0 0 {number(size.width)} {number(size.height)}"}
    return tag("svg", *drawn, class_=size.name, role="img", aria_label=name, **box)


def swatch(kind: str) -> Markup:
    """A mark for the page's key: of ``MARKS``, or a ``wall``."""
    drawn = line(7, 0, 7, 14, "wall") if kind == "wall" else marker(kind, MARKS[kind][0], 7, 7, MARKS[kind][1])
    return tag("svg", drawn, viewBox="0 0 14 14", aria_hidden="true")


def stroke(style: Style) -> Markup:
    """A line for a chart's legend."""
    drawn = tag("line", x1=0, x2=30, y1=5, y2=5, **style.attributes())
    return tag("svg", drawn, viewBox="0 0 30 10", aria_hidden="true")


def _upwards(lines: Sequence[Line], size: Size, with_zero: bool) -> Scale:
    found = [v for each in lines for d in each.dots for v in (d.value, d.low, d.high) if v is not None]
    least = (min(found) + max(found) - LEAST) / 2
    least = least if with_zero else min(max(least, 0.0), 100 - LEAST)  # no score is outside 0 to 100
    return scale([*found, least, least + LEAST], size.height - size.bottom, size.top, most=8, zero=with_zero)


def _aside(index: int, several: int, gap: float) -> float:
    """Arms of one entry stand side by side where there is room, so that their whiskers can be told apart."""
    return (index - (several - 1) / 2) * min(4.0, 0.5 * gap / several, 22 / several)


def _places(of: Line, across: Scale, up: Scale, aside: float) -> list[_Place]:
    return [
        _Place(
            across(d.at.timestamp()) + aside,
            up(d.value),
            None if d.low is None or d.high is None else (up(d.low), up(d.high)),
            d,
        )
        for d in of.dots
    ]


def _axes(across: Scale, up: Scale, size: Size, with_zero: bool) -> Iterator[Markup]:
    left, right, floor = size.left, size.width - size.right, size.height - size.bottom
    for value in up.ticks:
        zero = with_zero and abs(value) < up.step / 2
        yield line(left, up(value), right, up(value), "zero" if zero else "level")
        yield text(left - 6, up(value) + 4, up.label(value, signed=with_zero), "tick", "end")
    yield line(left, floor, right, floor, "level")
    for moment in across.ticks:
        yield line(across(moment), floor, across(moment), floor + 4, "notch")
        yield tick_label(across(moment), size.height - 6, across.label(moment), TICK, size.width)


def _walls(walls: Sequence[Wall], across: Scale, size: Size) -> Iterator[Markup]:
    """Vertical lines; a label that would run into the one before is left to hovering."""
    free, right = size.left, size.width - size.right
    for wall in walls:
        x, wide = across(wall.at.timestamp()), width(wall.label, TICK) + 8
        after = x + wide <= right
        begin = x if after else x - wide
        drawn = [title(wall.title), line(x, 12, x, size.height - size.bottom, "")]
        if begin >= free:
            free = begin + wide
            drawn.append(text(x + (5 if after else -5), 12, wall.label, anchor=None if after else "end"))
        yield tag("g", *drawn, class_="wall")


def _parts(places: Sequence[_Place]) -> list[list[_Place]]:
    return [[p for p in places if p.dot.part == part] for part in dict.fromkeys(p.dot.part for p in places)]


def _curve(places: Sequence[_Place], few: bool) -> Iterator[Markup]:
    """A line for each unbroken part, with the intervals of its dots."""
    for part in _parts(places):
        known = [(p.x, *p.ends) for p in part if p.ends]
        if few or len(part) == 1:
            yield from (line(x, low, x, high, "whisker") for x, low, high in known)
        else:
            outline = [*((x, high) for x, _, high in known), *((x, low) for x, low, _ in reversed(known))]
            yield tag("polygon", points=path(outline), class_="band")
        if len(part) > 1:
            yield tag("polyline", points=path((p.x, p.y) for p in part))


def _marks(places: Sequence[_Place], size: Size, small: bool) -> Iterator[Markup]:
    for p in places:
        kind = p.dot.tone or ("night" if p.dot.nightly else "run")
        told = [title(p.dot.title)] if size.names else []
        if not (small and kind == "night"):
            hit = [tag("circle", cx=p.x, cy=p.y, r=7, class_="hit")] if size.names else []
            yield tag("g", *told, *hit, marker(kind, MARKS[kind][0], p.x, p.y, MARKS[kind][1]), class_="mark")
        elif size.names:
            yield tag("circle", *told, cx=p.x, cy=p.y, r=1.8, class_="dot")


def _names(lines: Sequence[Line], ends: Sequence[_Place], size: Size) -> Iterator[Markup]:
    x = size.width - size.right + 14
    floor = size.height - size.bottom
    apart = min(_APART, (floor - size.top) / len(lines))
    heights = spread([end.y for end in ends], apart, floor)
    for of, end, y in zip(lines, ends, heights, strict=True):
        lead = line(end.x + 5, end.y, x - 4, y, "lead")
        name = tag("text", title(of.label), fit(of.label, size.width - x, NAME), x=x, y=y + 4, class_="name")
        yield tag("g", lead, name, **of.style.attributes())


def spread(heights: Sequence[float], apart: float, floor: float) -> list[float]:
    """The heights moved so that none is nearer to another than ``apart``, and none below the floor."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    found = list(heights)
    for above, i in itertools.pairwise(order):
        found[i] = max(found[i], found[above] + apart)
    ceiling = floor
    for i in reversed(order):
        found[i] = min(found[i], ceiling)
        ceiling = found[i] - apart
    return found

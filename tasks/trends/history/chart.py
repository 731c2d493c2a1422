"""A chart of scores over time as positions in pixels; the template draws them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tasks.trends.history import scales
from tasks.trends.history.scales import Scale, Tick
from tasks.trends.history.style import Style

FEW = 40  # up to so many entries each point has whiskers; beyond, the intervals are a band
MANY = 90  # beyond, the marks of nights are dots

Tone = Literal["", "regression", "gain"]
XY = tuple[float, float]


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
    """An arm's scores, the earliest first."""

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
    """A drawing's size and margins in pixels. ticks: of time, at most. names: whether lines have labels."""

    width: int
    height: int
    left: int
    right: int
    ticks: int
    names: bool
    top: int = 26
    bottom: int = 24


WIDE = Size(1080, 330, 44, 200, 8, True)
NARROW = Size(360, 270, 34, 12, 4, False)


@dataclass(frozen=True)
class Mark:
    """A dot's place."""

    x: float
    y: float
    nightly: bool
    tone: Tone
    title: str
    whisker: tuple[float, float] | None


@dataclass(frozen=True)
class Drawn:
    """A line's places. paths: points of its unbroken parts. bands: outlines of their intervals. end: of its label."""

    label: str
    style: Style
    paths: tuple[str, ...]
    bands: tuple[str, ...]
    marks: tuple[Mark, ...]
    end: XY | None = None
    named: XY | None = None


@dataclass(frozen=True)
class DrawnWall:
    """A vertical mark; the label is empty where there is no room for it."""

    x: float
    label: str
    title: str
    anchor: Literal["start", "end"]


@dataclass(frozen=True)
class Chart:
    """A drawing. zero: where no difference is, in a chart of differences. small: nights are dots."""

    size: Size
    ticks: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    lines: tuple[Drawn, ...]
    walls: tuple[DrawnWall, ...]
    small: bool
    zero: float | None = None
    ends: tuple[float, float] = field(default=(0.0, 0.0))


def draw(lines: Sequence[Line], walls: Iterable[Wall], size: Size, with_zero: bool = False) -> Chart:
    """Place lines of scores, at least one dot, in a drawing."""
    dots = [dot for line in lines for dot in line.dots]
    moments = sorted({dot.at for dot in dots})
    found = [v for d in dots for v in (d.value, d.low, d.high) if v is not None] + [0.0] * with_zero
    left, right = size.left + 12, size.width - size.right - 12
    time, ticks = scales.times(moments[0], moments[-1], left, right, size.ticks)
    value, levels = scales.values(found, size.height - size.bottom, size.top)
    few = len(moments) <= FEW
    gap = (right - left) / max(len(moments) - 1, 1)
    drawn = [_line(line, time, value, few, _aside(i, len(lines), gap)) for i, line in enumerate(lines)]
    return Chart(
        size=size,
        ticks=tuple(ticks),
        levels=tuple(levels),
        lines=tuple(_named(drawn, size)),
        walls=tuple(_walls(walls, time, size)),
        small=len(moments) > (MANY if size.names else FEW),
        zero=value(0.0) if with_zero else None,
        ends=(size.left, size.width - size.right),
    )


def _aside(index: int, number: int, gap: float) -> float:
    """Arms of one entry stand side by side where there is room, so that their whiskers can be told apart."""
    return round((index - (number - 1) / 2) * min(4.0, 0.5 * gap / number, 22 / number), 1)


def _line(line: Line, time: Scale, value: Scale, few: bool, aside: float) -> Drawn:
    places = [(round(time(d.at.timestamp()) + aside, 1), value(d.value), d) for d in line.dots]
    parts = [[p for p in places if p[2].part == part] for part in dict.fromkeys(p[2].part for p in places)]
    marks = [
        Mark(x, y, d.nightly, d.tone, d.title, _ends(d, value) if few or len(part) == 1 else None)
        for part in parts
        for x, y, d in part
    ]
    return Drawn(
        label=line.label,
        style=line.style,
        paths=tuple(_path((x, y) for x, y, _ in part) for part in parts if len(part) > 1),
        bands=() if few else tuple(b for part in parts if (b := _band(part, value))),
        marks=tuple(marks),
        end=(places[-1][0], places[-1][1]) if places else None,
    )


def _ends(dot: Dot, value: Scale) -> tuple[float, float] | None:
    return None if dot.low is None or dot.high is None else (value(dot.low), value(dot.high))


def _band(part: Sequence[tuple[float, float, Dot]], value: Scale) -> str:
    known = [(x, ends) for x, _, d in part if (ends := _ends(d, value)) is not None]
    there = [(x, high) for x, (_, high) in known]
    return _path([*there, *((x, low) for x, (low, _) in reversed(known))]) if len(known) > 1 else ""


def _path(points: Iterable[XY]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _named(lines: Sequence[Drawn], size: Size) -> Iterable[Drawn]:
    """Labels at the lines' ends, moved apart where they would overlap."""
    if not size.names:
        yield from lines
        return
    apart = min(15.0, (size.height - size.top - size.bottom) / max(len(lines), 1))
    order = sorted((line for line in lines if line.end), key=lambda line: line.end[1] if line.end else 0.0)
    heights: list[float] = []
    for line in order:
        assert line.end
        heights.append(max(line.end[1], heights[-1] + apart) if heights else line.end[1])
    for i in range(len(heights) - 1, -1, -1):
        ceiling = heights[i + 1] - apart if i + 1 < len(heights) else float(size.height - size.bottom)
        heights[i] = round(min(heights[i], ceiling), 1)
    places = {id(line): height for line, height in zip(order, heights, strict=True)}
    for line in lines:
        named = (size.width - size.right + 14.0, places[id(line)]) if id(line) in places else None
        yield Drawn(line.label, line.style, line.paths, line.bands, line.marks, line.end, named)


def _walls(walls: Iterable[Wall], time: Scale, size: Size) -> Iterable[DrawnWall]:
    """Vertical marks; a label that would run into the one before is left to hovering."""
    free = float(size.left)
    right = size.width - size.right
    for wall in walls:
        x = time(wall.at.timestamp())
        wide = sum(12.5 if ord(c) > 0x2E80 else 6.6 for c in wall.label) + 8
        after = x + wide <= right
        begin = x if after else x - wide
        fits = begin >= free
        free = begin + wide if fits else free
        yield DrawnWall(x, wall.label if fits else "", wall.title, "start" if after else "end")

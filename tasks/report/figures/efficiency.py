"""The data-efficiency curve: the score against the number of labelled real images, alone and with each partner."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from tasks.catalogue import points, t
from tasks.charts import (
    LINE,
    SMALL,
    WIDTH,
    Block,
    Figure,
    Scale,
    line,
    marker,
    path,
    rect,
    scale,
    series,
    tag,
    text,
    tick_label,
    title,
    width,
)
from tasks.contracts import EfficiencyCurve, EfficiencyPoint
from tasks.report.figures.labels import legend
from tasks.report.intervals import scaled
from tasks.report.score_table import TaskTable
from tasks.report.words import arm_label, count, interval, task_name

_HEIGHT = 250.0  # of the plot
_ROOM = 26.0  # between the numbers below the ticks, at least


def efficiency(table: TaskTable) -> Figure | None:
    """A line a curve over log(1 + images), its points with 95 % intervals; 0 images is the partner alone."""
    found = table.efficiency
    if found is None:
        return None
    metric = table.columns[0].name
    scores = [scaled(v) for c in found.curves for p in c.points for v in (p.score.value, p.score.low, p.score.high)]
    up = scale(scores, _HEIGHT, 0.0, most=5, zero=False)
    gutter = max(width(up.label(v), SMALL) for v in up.ticks) + 10
    numbers = sorted({p.images for c in found.curves for p in c.points})
    across = _across(numbers, gutter, WIDTH - 12)
    looks = [("neutral", 0) if c.arm == "real" else series(i) for i, c in enumerate(found.curves, -1)]
    drawn = (_curve(c, look, across, up) for c, look in zip(found.curves, looks, strict=True))
    plot = Markup("").join([*_frame(across, up), *drawn])
    entries = [(*look, arm_label(c.arm)) for c, look in zip(found.curves, looks, strict=True)]
    blocks = (
        legend(entries),
        Block(LINE * 1.3, text(0, LINE * 0.75, t("figures.efficiency_up", metric=metric), "small")),
        Block(_HEIGHT + 6, plot),
        _axis(numbers, across),
    )
    note = t("figures.efficiency_note") + (f" {t('figures.efficiency_none')}" if numbers[0] == 0 else "")
    return Figure("efficiency", t("figures.efficiency", metric=metric, task=task_name(table.task)), note, blocks)


def _across(numbers: Sequence[int], start: float, end: float) -> Scale:
    """The scale of log(1 + images), with a little room at both ends."""
    low, high = math.log1p(numbers[0]), math.log1p(numbers[-1])
    room = 0.04 * (high - low) or 1.0
    return Scale(low - room, high + room, start, end, tuple(math.log1p(n) for n in numbers), 1.0)


def _frame(across: Scale, up: Scale) -> Iterable[Markup]:
    for tick in up.ticks:
        yield line(across.start, up(tick), across.end, up(tick), "rule")
        yield text(across.start - 8, up(tick) + 6, up.label(tick), "small", "end")
    yield line(across.start, _HEIGHT, across.end, _HEIGHT, "zero")
    yield from (line(across(tick), _HEIGHT, across(tick), _HEIGHT + 5, "zero") for tick in across.ticks)


def _axis(numbers: Sequence[int], across: Scale) -> Block:
    """The numbers that were trained with; one that has no room beside its left neighbour is left out."""
    drawn, right = [], -math.inf
    for number in numbers:
        x, half = across(math.log1p(number)), width(f"{number:,}", SMALL) / 2
        if x - half > right + _ROOM / 4 or number == numbers[-1]:
            drawn.append(tick_label(x, 0.85 * LINE, f"{number:,}"))
            right = x + half
    unit = text((across.start + across.end) / 2, 1.75 * LINE, t("figures.efficiency_across"), "small", "middle")
    return Block(2.1 * LINE, Markup("").join([*drawn, unit]))


def _curve(curve: EfficiencyCurve, look: tuple[str, int], across: Scale, up: Scale) -> Markup:
    places = [(across(math.log1p(p.images)), up(scaled(p.score.value) or 0.0)) for p in curve.points]
    marks = [_mark(p, look[1], place, up) for p, place in zip(curve.points, places, strict=True)]
    return tag("g", tag("polyline", points=path(places), class_="way"), *marks, class_=look[0], data_arm=curve.arm)


def _mark(point: EfficiencyPoint, form: int, place: tuple[float, float], up: Scale) -> Markup:
    x, y = place
    low, high = scaled(point.score.low), scaled(point.score.high)
    told = f"{points(scaled(point.score.value))} {interval(low, high)}".strip()
    words = t("figures.efficiency_point", arm=arm_label(point.arm), images=count(point.images, "image"), score=told)
    ends = line(x, up(low), x, up(high), "ends") if low is not None and high is not None else Markup("")
    return tag("g", title(words), rect(x - 9, y - 9, 18, 18, "hit"), ends, marker("dot", form, x, y))

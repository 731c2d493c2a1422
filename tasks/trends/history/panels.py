"""Which charts the history page has, and what their lines say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.catalogue import points, t
from tasks.contracts import Arm
from tasks.report import arm_label, change, interval, signed
from tasks.trends.history.chart import NARROW, WIDE, Dot, Line, Tone, Wall, draw, stroke
from tasks.trends.history.style import Style, styles
from tasks.trends.history.trend import NIGHTLY, Break, Entry, Point, Trend


@dataclass(frozen=True)
class Panel:
    """A chart in two sizes, of which the page shows the one that fits. legend: line, label and last value."""

    title: str
    note: str
    drawings: tuple[Markup, Markup]
    legend: tuple[tuple[Markup, str, str], ...]


def panels(trend: Trend) -> list[Panel]:
    """A chart a metric, and one of what translators add to the baseline in the first of them."""
    style = styles(trend.arms)
    walls = [_wall(b) for b in trend.breaks]
    found = []
    for metric in trend.metrics:
        lines = [_line(trend, arm, trend.line(arm, metric), style[arm]) for arm in trend.arms]
        found.append(_panel(t("history.over_time", metric=metric), t("history.points"), lines, walls, False))
    first = trend.metrics[0]
    deltas = [_deltas(trend, arm, trend.line(arm, first), style[arm]) for arm in translated(trend)]
    found.append(
        _panel(t("history.gain_over_time", metric=first), t("history.gain_note"), deltas, walls, with_zero=True)
    )
    return [panel for panel in found if panel is not None]


def translated(trend: Trend) -> list[Arm]:
    """The arms with translated images; those without real ones, unless there are no others."""
    arms = [arm for arm in trend.arms if arm.translator is not None]
    return [arm for arm in arms if arm.simple and not arm.mixed] or arms


def moment(entry: Entry) -> str:
    """When an entry was made, in UTC."""
    return f"{entry.moment:%Y-%m-%d %H:%M}"


def kind(entry: Entry, short: bool = False) -> str:
    """What made an entry: a full run, a nightly re-evaluation, or its flow's own name."""
    names = {"augment": "history.run", NIGHTLY: "history.night" if short else "history.nightly"}
    return t(names[entry.flow]) if entry.flow in names else entry.flow


def _panel(title: str, note: str, lines: Sequence[Line], walls: Sequence[Wall], with_zero: bool) -> Panel | None:
    there = [line for line in lines if line.dots]
    if not there:
        return None
    last = signed if with_zero else points
    known = any(dot.low is not None for line in there for dot in line.dots)
    return Panel(
        title=title,
        note=f"{note}, {t('history.with_intervals')}" if known else note,
        drawings=(draw(there, walls, WIDE, title, with_zero), draw(there, walls, NARROW, title, with_zero)),
        legend=tuple((stroke(line.style), line.label, last(line.dots[-1].value)) for line in there),
    )


def _wall(found: Break) -> Wall:
    label = t(f"history.{found.kind}_changed")
    return Wall(found.at, label, t("history.wall", what=label, moment=moment(found.entry)))


def _line(trend: Trend, arm: Arm, found: Sequence[Point], style: Style) -> Line:
    dots = [
        _dot(trend, p, (p.cell.value or 0.0, p.cell.low, p.cell.high), _tone(p), "\n".join(_told(arm, p)))
        for p in found
    ]
    return Line(arm_label(arm), style, tuple(dots))


def _deltas(trend: Trend, arm: Arm, found: Sequence[Point], style: Style) -> Line:
    dots = []
    for p in found:
        if p.cell.delta is not None:
            ends = (p.cell.delta, p.cell.delta_low, p.cell.delta_high)
            told = f"{moment(p.entry)}, {kind(p.entry)}\n{arm_label(arm)}: {change(*ends)}"
            dots.append(_dot(trend, p, ends, "", told))
    return Line(arm_label(arm), style, tuple(dots))


def _dot(trend: Trend, point: Point, ends: tuple[float, float | None, float | None], tone: Tone, told: str) -> Dot:
    entry = point.entry
    part = sum(b.entry.moment <= entry.moment for b in trend.breaks)
    return Dot(entry.moment, *ends, nightly=entry.nightly, tone=tone, part=part, title=told)


def _tone(point: Point) -> Tone:
    outcome = point.change.outcome if point.change else ""
    return outcome if outcome in {"regression", "gain"} else ""  # type: ignore[return-value]


def _told(arm: Arm, point: Point) -> Iterable[str]:
    """What hovering over a point says."""
    cell, found = point.cell, point.change
    yield f"{moment(point.entry)}, {kind(point.entry)}"
    yield f"{arm_label(arm)}: {points(cell.value)} {interval(cell.low, cell.high)}".rstrip()
    if found is not None:
        against = t("history.same_models" if found.same_models else "history.other_models")
        yield f"{change(found.value, found.low, found.high)}: {t(f'history.{found.outcome}')} ({against})"

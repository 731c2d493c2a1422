"""What the history page says first: which scores fell by more than chance, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.contracts import Arm, Task
from tasks.trends.history.trend import Entry, Point, Trend

SHOWN = 30  # regressions listed
SEVERAL = 6  # classes of one regression that are listed


@dataclass(frozen=True)
class Regressed:
    """What of an arm fell in an entry.

    Attributes:
        metrics, classes: name and point; the largest losses of classes first, ``SEVERAL`` at most.
        more: how many further classes fell.
    """

    entry: Entry
    task: Task
    arm: Arm
    metrics: tuple[tuple[str, Point], ...]
    classes: tuple[tuple[str, Point], ...]
    more: int


def regressions(trends: Sequence[Trend]) -> list[Regressed]:
    """All regressions, the latest entry first."""
    found = [r for trend in trends for entry in trend.entries for arm in trend.arms if (r := _of(trend, entry, arm))]
    return sorted(found, key=lambda r: (r.entry.moment, r.entry.file), reverse=True)


@dataclass(frozen=True)
class JudgedArms:
    """Of an entry's arms, how many could be compared with an earlier entry, and how many of these not be judged."""

    compared: int
    unknown: int


def judged(trends: Sequence[Trend], entry: Entry | None) -> JudgedArms:
    """How far "no regression" goes for an entry: by the first metric of each task."""
    found = [
        point.change
        for trend in trends
        for arm in trend.arms
        if entry and (point := trend.points.get((entry.file, arm, trend.metrics[0]))) and point.change
    ]
    return JudgedArms(len(found), sum(change.outcome == "unknown" for change in found))


def _of(trend: Trend, entry: Entry, arm: Arm) -> Regressed | None:
    fallen = {
        name: point
        for name in (*trend.metrics, *trend.classes)
        if (point := trend.points.get((entry.file, arm, name))) and point.change and _regressed(point)
    }
    if not fallen:
        return None
    metrics = tuple((n, p) for n, p in fallen.items() if n in trend.metrics)
    classes = sorted(((n, p) for n, p in fallen.items() if n in trend.classes), key=lambda c: _lost(c[1]))
    return Regressed(entry, trend.task, arm, metrics, tuple(classes[:SEVERAL]), more=max(len(classes) - SEVERAL, 0))


def _regressed(point: Point) -> bool:
    return point.change is not None and point.change.outcome == "regression"


def _lost(point: Point) -> float:
    return point.change.value if point.change else 0.0

"""The scores of a pipeline over its runs and nights, and which of their changes are more than chance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tasks.contracts import Arm, Task
from tasks.evaluate import benjamini_hochberg
from tasks.report import Cell
from tasks.trends.history.archive import Chain, Kept, Table
from tasks.trends.history.chance import LEVEL, independent

TOLERANCE = 0.1  # points that the inference of one model on the same images may differ by
_ROUNDING = 1e-6  # scores are rounded to four decimals
NIGHTLY = "reevaluate"

Models = Mapping[tuple[Task, str], Mapping[int, str]]
Outcome = Literal["regression", "gain", "chance", "unknown"]
BreakKind = Literal["benchmark", "classes"]


@dataclass(frozen=True)
class Basis:
    """What scores are measured on; only those of one basis are compared.

    Attributes:
        benchmark: digest of its content. classes: those of the table, and whether each counts in the means.
    """

    benchmark: str
    classes: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Entry:
    """A report of the history.

    Attributes:
        bases: task -> what its scores are measured on.
        models: task and arm -> seed -> digest of the model's content, as far as the provenance knows it.
    """

    file: str
    flow: str
    moment: datetime
    tables: Mapping[Task, Table]
    bases: Mapping[Task, Basis]
    models: Models

    @property
    def nightly(self) -> bool:
        """Whether models of an earlier run were scored again."""
        return self.flow == NIGHTLY


@dataclass(frozen=True)
class Change:
    """A score against the previous comparable one, in points.

    Attributes:
        since: when the previous one was made. value: the difference.
        low, high: its 95 % interval, for different models; None where that is not known, and for the same models.
        same_models: the models are the same to the byte: nothing about the difference is random.
        crept: when and from where on the same models have lost more than tolerated, by steps that each were small.
    """

    since: datetime
    value: float
    same_models: bool
    outcome: Outcome
    low: float | None = None
    high: float | None = None
    p: float | None = None
    crept: tuple[datetime, float] | None = None


@dataclass(frozen=True)
class Point:
    """A score of the trend. change: None where there is nothing comparable before."""

    entry: Entry
    cell: Cell
    change: Change | None


@dataclass(frozen=True)
class Break:
    """Scores before and from an entry on are not comparable. at: between the two."""

    entry: Entry
    at: datetime
    kind: BreakKind


@dataclass(frozen=True)
class Trend:
    """A task over the entries that have it; ``points``: entry's file, arm and column -> point."""

    task: Task
    entries: tuple[Entry, ...]
    arms: tuple[Arm, ...]
    metrics: tuple[str, ...]
    classes: tuple[str, ...]
    points: Mapping[tuple[str, str, str], Point]
    breaks: tuple[Break, ...]

    def line(self, arm: Arm, column: str) -> list[Point]:
        """The scores of an arm, the earliest first."""
        found = (self.points.get((e.file, arm, column)) for e in self.entries)
        return [p for p in found if p is not None]


def entry(file: str, report: Kept) -> Entry:
    """What the trend needs of a report."""
    benchmark = next((d.digest for d in report.datasets if d.role == "benchmark"), "")
    tables = {table.task: table for table in report.tables}
    bases = {
        task: Basis(benchmark, tuple((c.name, c.counts) for c in table.columns if c.is_class))
        for task, table in tables.items()
    }
    return Entry(file, report.flow, report.moment, tables, bases, models(report.provenance))


def models(chain: Chain) -> Models:
    """Task and arm -> seed -> digest of the model that was scored; models whose digest is not known are left out."""
    found: dict[tuple[Task, str], dict[int, str]] = {}
    for score in chain.scores:
        evaluation = chain.nodes.get(score.evaluation)
        model = chain.nodes.get(evaluation.inputs.get("model", "")) if evaluation else None
        if model is not None:
            found.setdefault((score.task, score.arm), {})[score.seed] = model.digest
    return found


def trends(entries: Sequence[Entry]) -> list[Trend]:
    """Follow every task, in the order in which the last entries have them."""
    tasks = dict.fromkeys(task for e in reversed(entries) for task in e.tables)
    return [_trend(task, [e for e in entries if task in e.tables]) for task in tasks]


def _trend(task: Task, entries: Sequence[Entry]) -> Trend:
    columns = dict.fromkeys((c.name, c.is_class) for e in reversed(entries) for c in e.tables[task].columns)
    points: dict[tuple[str, str, str], Point] = {}
    tracks: dict[tuple[str, str, Basis], _Track] = {}
    for each in entries:
        found = _points(task, each, tracks)
        points |= {(each.file, *key): point for key, point in found.items()}
    return Trend(
        task=task,
        entries=tuple(entries),
        arms=tuple(dict.fromkeys(r.arm for e in reversed(entries) for r in e.tables[task].rows)),
        metrics=tuple(name for name, is_class in columns if not is_class),
        classes=tuple(name for name, is_class in columns if is_class),
        points=points,
        breaks=tuple(_breaks(task, entries)),
    )


class _Track:
    """What the next score of an arm on one basis is compared with; ``mark`` is where small steps are added up from."""

    def __init__(self, first: Point) -> None:
        self.last = self.mark = first

    def follow(self, point: Point) -> None:
        self.last = point
        change = point.change
        if change is None or not change.same_models or change.outcome in {"regression", "gain"}:
            self.mark = point


def _points(task: Task, of: Entry, tracks: dict[tuple[str, str, Basis], _Track]) -> dict[tuple[str, str], Point]:
    table, basis = of.tables[task], of.bases[task]
    found: dict[tuple[str, str], Point] = {}
    classes = {c.name for c in table.columns if c.is_class}
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell.value is None:
                continue
            track = tracks.get((row.arm, column.name, basis))
            change = _change(track, of, cell, (task, row.arm)) if track else None
            found[row.arm, column.name] = Point(of, cell, change)
    found |= _adjusted({key: point for key, point in found.items() if key[1] in classes})
    for (arm, name), point in found.items():
        tracks.setdefault((arm, name, basis), _Track(point)).follow(point)
    return found


def _change(track: _Track, of: Entry, cell: Cell, whose: tuple[Task, str]) -> Change:
    before, mine = track.last, of.models.get(whose)
    since = before.entry.moment
    if not mine or mine != before.entry.models.get(whose):
        found = independent(before.cell, cell)
        outcome = _by_interval(found.low, found.high)
        return Change(since, found.value, False, outcome, found.low, found.high, found.p)
    value, crept = _less(cell, before.cell), _less(cell, track.mark.cell)
    if _by_tolerance(value) == "chance" and _by_tolerance(crept) == "regression":
        return Change(since, value, True, "regression", crept=(track.mark.entry.moment, crept))
    return Change(since, value, True, _by_tolerance(value))


def _less(after: Cell, before: Cell) -> float:
    return (after.value or 0.0) - (before.value or 0.0)


def _by_interval(low: float | None, high: float | None) -> Outcome:
    if low is None or high is None:
        return "unknown"
    return "regression" if high < 0 else "gain" if low > 0 else "chance"


def _by_tolerance(value: float) -> Outcome:
    if abs(value) <= TOLERANCE + _ROUNDING:
        return "chance"
    return "regression" if value < 0 else "gain"


def _adjusted(classes: Mapping[tuple[str, str], Point]) -> dict[tuple[str, str], Point]:
    """Classes of newly trained models are many comparisons: they also have to pass Benjamini-Hochberg."""
    tested = {key: p.change for key, p in classes.items() if p.change is not None and p.change.p is not None}
    q = dict(zip(tested, benjamini_hochberg([c.p for c in tested.values()]), strict=True))
    return {
        key: replace(classes[key], change=replace(change, outcome="chance"))
        for key, change in tested.items()
        if change.outcome in {"regression", "gain"} and (q[key] or 0.0) >= LEVEL
    }


def _breaks(task: Task, entries: Sequence[Entry]) -> Iterable[Break]:
    for before, after in itertools.pairwise(entries):
        old, new = before.bases[task], after.bases[task]
        if old != new:
            kind: BreakKind = "benchmark" if old.benchmark != new.benchmark else "classes"
            yield Break(after, before.moment + (after.moment - before.moment) / 2, kind)

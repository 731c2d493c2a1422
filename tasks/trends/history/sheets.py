"""The tables of the history page: the last entries, the latest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.catalogue import points, t
from tasks.contracts import Arm
from tasks.report import MARKS, arm_label, interval, signed
from tasks.trends.history.panels import kind, moment, translated
from tasks.trends.history.trend import Point, Trend

LAST = 30
_TONES = {"regression": "down", "gain": "up", "improves": "up", "harms": "down"}
_CHANGES = {"regression": "▼", "gain": "▲", "chance": "", "unknown": ""}


@dataclass(frozen=True)
class Field:
    """A field of a table: the figure, its interval, and a change with its tone and what it comes to."""

    figure: str
    interval: str = ""
    change: str = ""
    tone: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class SheetLine:
    """An entry: when, what made it, and the fields by arm; ``wall`` says what changed before it."""

    moment: str
    kind: str
    wall: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Sheet:
    """A table; ``rest`` counts the earlier entries that it leaves out."""

    metric: str
    columns: tuple[str, ...]
    lines: tuple[SheetLine, ...]
    rest: int


def scores_sheet(trend: Trend, metric: str) -> Sheet:
    """Every arm's score in the last entries and its change to the previous comparable one."""
    return _sheet(trend, metric, list(trend.arms), _scored)


def translators_sheet(trend: Trend) -> Sheet | None:
    """What every translator adds to the baseline in the first metric; None where none was scored."""
    arms = translated(trend)
    return _sheet(trend, trend.metrics[0], arms, _compared) if arms else None


def _sheet(trend: Trend, metric: str, arms: list[Arm], field: Callable[[Point | None], Field]) -> Sheet:
    walls = {b.entry.file: t(f"history.{b.kind}_changed") for b in trend.breaks}
    lines = [
        SheetLine(
            moment=moment(e),
            kind=kind(e, short=True),
            wall=walls.get(e.file, ""),
            fields=tuple(field(trend.points.get((e.file, arm, metric))) for arm in arms),
        )
        for e in trend.entries[: -LAST - 1 : -1]
    ]
    rest = max(len(trend.entries) - LAST, 0)
    return Sheet(metric, tuple(arm_label(arm) for arm in arms), tuple(lines), rest)


def _scored(point: Point | None) -> Field:
    if point is None:
        return Field(points(None))
    cell, change = point.cell, point.change
    shown = Field(points(cell.value), interval(cell.low, cell.high))
    if change is None:
        return shown
    against = t("history.same_models" if change.same_models else "history.other_models")
    return Field(
        shown.figure,
        shown.interval,
        f"{_CHANGES[change.outcome]} {signed(change.value)}".strip(),
        _TONES.get(change.outcome, ""),
        f"{t(f'history.{change.outcome}')} ({against})",
    )


def _compared(point: Point | None) -> Field:
    if point is None or point.cell.delta is None:
        return Field(points(None))
    cell = point.cell
    mark = f"{MARKS[cell.outcome]} " if cell.outcome else ""
    return Field(
        f"{mark}{signed(cell.delta)}",
        interval(cell.delta_low, cell.delta_high),
        tone=_TONES.get(cell.outcome or "", ""),
    )

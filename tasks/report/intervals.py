"""From the comparison of arms into the report's table: 95 % intervals of scores and differences, in points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tasks.catalogue import t
from tasks.contracts import Arm, ArmDifference, ArmScores, Comparison, Difference, Estimate, RunRecord, TaskComparison
from tasks.report.glance import GlanceCell
from tasks.report.reading import Reader
from tasks.report.score_table import Cell, Column, Row, TaskTable
from tasks.report.words import MARKS, capital, change, count, listed, outcome_label

SEVERAL = 6  # as many classes of one outcome are listed with their intervals


def read_comparison(record: RunRecord, reader: Reader) -> Comparison | None:
    """The comparison of the run's arms; None where it has none, or it cannot be read."""
    return reader.filed(record.comparison, Comparison) if record.comparison else None


def scaled(value: float | None) -> float | None:
    """A fraction in points."""
    return None if value is None else round(100 * value, 4)


def with_intervals(table: TaskTable, compared: TaskComparison, baseline: Arm) -> TaskTable:
    """The table with the intervals of all scores, and of the differences to the baseline.

    Args:
        table: in points, as ``task_table`` makes it.
        compared: the comparison of its task.
        baseline: the arm that differences are taken to.
    """
    scores = {a.arm: a for a in compared.arms}
    rows = [_row(r, table.columns, scores.get(r.arm), compared.difference(r.arm, baseline)) for r in table.rows]
    margin = round(100 * compared.margin, 4)
    notes = (t("tables.adjusted"), *table.notes)
    of = {"rows": tuple(rows), "margin": margin, "notes": notes, "efficiency": compared.efficiency}
    return table.model_copy(update=of)


def _row(row: Row, columns: Iterable[Column], scores: ArmScores | None, difference: ArmDifference | None) -> Row:
    cells = []
    for cell, column in zip(row.cells, columns, strict=True):
        estimate = _named(scores, column) if scores else None
        to_base = _named(difference, column) if difference else None
        cells.append(cell.model_copy(update={**_estimated(cell, estimate), **_compared(to_base)}))
    return row.model_copy(update={"cells": tuple(cells)})


def _named(scores: ArmScores | ArmDifference, column: Column) -> Estimate | None:
    by_name: Mapping[str, Estimate] = scores.classes if column.is_class else scores.metrics
    return by_name.get(column.name)


def _estimated(cell: Cell, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None or cell.value is None:
        return {}
    return {"low": scaled(estimate.low), "high": scaled(estimate.high)}


def _compared(difference: Estimate | None) -> dict[str, object]:
    """The difference by the seeds that both arms have, in the place of that of the means."""
    if not isinstance(difference, Difference) or difference.value is None:
        return {}
    ends = {"delta_low": scaled(difference.low), "delta_high": scaled(difference.high)}
    return {"delta": scaled(difference.value), "outcome": difference.outcome, **ends}


def class_changes(table: TaskTable, row: Row) -> str:
    """What the differences of an arm's classes to the baseline come to, in a sentence; nothing without intervals.

    Decided ones are listed, the largest first; the others are counted.
    """
    pairs = [(c, cell) for c, cell in zip(table.columns, row.cells, strict=True) if c.is_class and cell.outcome]
    said = []
    for outcome, key in (("improves", "tables.better"), ("harms", "tables.worse")):
        mine = sorted((p for p in pairs if p[1].outcome == outcome), key=lambda p: -abs(p[1].delta or 0.0))
        each = [f"{c.name} {change(cell.delta, cell.delta_low, cell.delta_high)}" for c, cell in mine]
        if each:
            said.append(t(key, classes=listed(each, SEVERAL)))
    for outcome in ("no difference", "not decidable"):
        if number := sum(cell.outcome == outcome for _, cell in pairs):
            said.append(t("tables.counted", outcome=outcome_label(outcome), classes=count(number, "class")))
    return capital(f"{'; '.join(said)}.") if said else ""


def mark(cell: Cell | GlanceCell) -> str:
    """The sign of what a difference comes to; nothing where that is not known."""
    return MARKS[cell.outcome] if cell.outcome else ""

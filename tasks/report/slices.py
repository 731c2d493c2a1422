"""The first metric by part of the benchmark, in points and in words."""

from __future__ import annotations

from tasks.catalogue import t
from tasks.contracts import Slice, SliceScore, TaskComparison
from tasks.report.intervals import scaled
from tasks.report.score_table import Cell, SliceRow, TaskTable


def with_slices(table: TaskTable, compared: TaskComparison) -> TaskTable:
    """The table with its metric by part of the benchmark, each with a cell for every row."""
    rows = tuple(_row(table, of) for of in compared.slices)
    notes = (*table.notes, *([t("slices.note")] if rows else []))
    return table.model_copy(update={"slices": rows, "notes": notes})


def _row(table: TaskTable, of: Slice) -> SliceRow:
    scores = {score.arm: score for score in of.scores}
    cells = tuple(_cell(scores.get(row.arm)) for row in table.rows)
    plain = of.model_dump(include={"kind", "key", "name", "images", "boxes"})
    return SliceRow(**plain, label=_label(of), cells=cells)


def _label(of: Slice) -> str:
    if of.kind == "size":
        return t(f"slices.size_{of.name}")
    return t(f"slices.{of.kind}", key=of.key, name=of.name)


def _cell(score: SliceScore | None) -> Cell:
    if score is None:
        return Cell(value=None)
    found = {name: scaled(getattr(score.score, name)) for name in ("value", "low", "high")}
    if (difference := score.difference) is None or difference.value is None:
        return Cell(**found)
    return Cell(
        **found,
        delta=scaled(difference.value),
        delta_low=scaled(difference.low),
        delta_high=scaled(difference.high),
        outcome=difference.outcome,
    )

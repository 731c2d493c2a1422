"""The differences of every part of the benchmark to the baseline, arms beside each other."""

from __future__ import annotations

from tasks.catalogue import t
from tasks.charts import Figure
from tasks.report.figures.classes import panel
from tasks.report.figures.labels import has_real, numbered
from tasks.report.score_table import Row, TaskTable
from tasks.report.words import task_name


def slices(table: TaskTable, with_real: bool = False) -> Figure | None:
    """Per part and arm the difference of the first metric to the baseline, in the order of the table by part.

    Args:
        table: of a task. with_real: draw the arms with real images, which gain so much more, instead of the others.
    """
    base = next((r for r in table.rows if r.role == "baseline"), None)
    rows = [_by_part(i, r, table) for i, r in enumerate(table.rows) if r is not base and has_real(r) == with_real]
    rows = [r for r in rows if any(c.delta is not None for c in r.cells)]
    names = {i: s.label for i, s in enumerate(table.slices) if any(r.cells[i].delta is not None for r in rows)}
    if base is None or not names:
        return None
    metric = table.columns[0].name
    words = {"metric": metric, "baseline": base.label, "task": task_name(table.task)}
    title = t("figures.slices_real" if with_real else "figures.slices", **words)
    blocks = panel(rows, names, numbered(table), metric, "part")
    return Figure("slices-real" if with_real else "slices", title, t("figures.slices_note"), tuple(blocks))


def _by_part(place: int, row: Row, table: TaskTable) -> Row:
    """The row with a cell for each part in place of its columns'."""
    return row.model_copy(update={"cells": tuple(part.cells[place] for part in table.slices)})

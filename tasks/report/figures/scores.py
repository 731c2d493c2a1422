"""The scores of the arms as bars, with their intervals."""

from __future__ import annotations

from markupsafe import Markup

from tasks.catalogue import points, t
from tasks.charts import (
    LEAST,
    LINE,
    WIDTH,
    Block,
    Figure,
    Scale,
    axis,
    interval,
    line,
    lines,
    rect,
    rules,
    scale,
    tag,
    text,
    title,
    width,
    wrap,
)
from tasks.report.figures.labels import label, role
from tasks.report.score_table import Row, TaskTable
from tasks.report.words import interval as brackets
from tasks.report.words import task_name

BAR = 16.0
GAP = 12.0


def scores(table: TaskTable, best: str | None) -> Figure | None:
    """Bars of the first metric of each arm from 0, with 95 % intervals; without these, a stroke for each seed's score.

    Args:
        table: of a task.
        best: the arm that the verdict is about, drawn at full strength.
    """
    cells = [row.cells[0] for row in table.rows if row.cells]
    values = [v for c in cells for v in (c.value, c.low, c.high, *c.seeds.values())]
    if not any(c.value is not None for c in cells):
        return None
    across = scale([*values, LEAST], 0.0, WIDTH - 12)
    metric = table.columns[0].name
    known = any(c.low is not None for c in cells)
    note = t("figures.scores_note") if known else t("figures.scores_seeds_note")
    name = t("figures.scores", metric=metric, task=task_name(table.task))
    rows = [_row(row, across, row.arm == best) for row in table.rows if row.cells]
    return Figure("scores", name, note, (*rows, axis(across, t("figures.points", metric=metric))))


def _row(row: Row, across: Scale, chosen: bool) -> Block:
    cell = row.cells[0]
    told = f"{points(cell.value)} {brackets(cell.low, cell.high)}".rstrip()
    named = wrap(label(row), WIDTH - width(told) - 12)
    y = LINE * len(named) + 4
    height = y + BAR + GAP
    drawn = [rules(across, y - 4, height), lines(0, 0, named), text(WIDTH, LINE * 0.75, told, "value", "end")]
    if cell.value is not None:
        classes = " ".join(c for c in ("bar", role(row), "chosen" if chosen else "") if c)
        bar = [title(f"{label(row)}: {told}"), rect(across(0), y, across(cell.value) - across(0), BAR, "")]
        drawn.append(tag("g", *bar, class_=classes))
        drawn += _spread(row, across, y)
    return Block(height, Markup("").join(drawn), (("arm", row.arm),))


def _spread(row: Row, across: Scale, y: float) -> list[Markup]:
    cell = row.cells[0]
    if cell.low is not None and cell.high is not None:
        return [interval(across, y + BAR / 2, cell.low, cell.high)]
    seeds = cell.seeds.values() if len(cell.seeds) > 1 else ()
    return [line(across(s), y - 3, across(s), y + BAR + 3, "seed") for s in seeds]

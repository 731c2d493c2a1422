"""The differences of the arms to the baseline: a forest plot."""

from __future__ import annotations

from markupsafe import Markup

from tasks.catalogue import t
from tasks.charts import (
    LEAST,
    LINE,
    WIDTH,
    Block,
    Figure,
    Scale,
    axis,
    estimate,
    lines,
    rect,
    rules,
    scale,
    text,
    width,
    wrap,
)
from tasks.report.figures.labels import decided, label, marked, told
from tasks.report.score_table import Row, TaskTable
from tasks.report.words import margin_words, task_name

_MARK = 20.0  # height of the strip that an estimate is drawn in
_LOOKS = {"improves": "up", "harms": "down"}


def differences(table: TaskTable) -> Figure | None:
    """Each arm's difference to the baseline in the first metric, with its 95 % interval and the margin around 0."""
    rows = [r for r in table.rows if r.cells and r.cells[0].delta is not None]
    base = next((r for r in table.rows if r.role == "baseline"), None)
    if not rows or base is None:
        return None
    margin = table.margin or 0.0
    values = [v for c in (r.cells[0] for r in rows) for v in (c.delta, c.delta_low, c.delta_high)]
    across = scale([*values, -margin, margin, LEAST, -LEAST], 10.0, WIDTH - 10)
    metric = table.columns[0].name
    name = t("figures.differences", metric=metric, baseline=base.label, task=task_name(table.task))
    blocks = (*(_row(r, across, margin) for r in rows), axis(across, t("figures.delta", metric=metric), signed=True))
    return Figure("differences", name, _note(table, rows), blocks)


def _note(table: TaskTable, rows: list[Row]) -> str:
    if not any(r.cells[0].delta_low is not None for r in rows):
        return t("figures.no_interval")
    parts = [t("figures.differences_note")]
    return " ".join([*parts, t("figures.margin", margin=margin_words(table.margin))] if table.margin else parts)


def _row(row: Row, across: Scale, margin: float) -> Block:
    cell = row.cells[0]
    assert cell.delta is not None
    words = marked(cell)
    named = wrap(label(row), WIDTH - width(words) - 12)
    y = LINE * len(named)
    height = y + _MARK + 10
    look = "neutral" if row.role == "oracle" else _LOOKS.get(cell.outcome or "", "neutral")
    ends = (cell.delta, cell.delta_low, cell.delta_high)
    drawn = [
        rect(across(-margin), y, across(margin) - across(-margin), height - y, "band") if margin else Markup(""),
        rules(across, y, height),
        lines(0, 0, named),
        text(WIDTH, LINE * 0.75, words, f"value {look}", "end"),
        estimate(across, y + _MARK / 2, ends, (look, 0), told(label(row), cell), decided(cell)),
    ]
    return Block(height, Markup("").join(drawn), (("arm", row.arm),))

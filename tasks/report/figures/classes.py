"""The differences of every class to the baseline, arms beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    line,
    lines,
    rules,
    scale,
    tag,
    text,
    title,
    width,
    wrap,
)
from tasks.contracts import TASKS
from tasks.report.figures.labels import decided, has_real, label, legend, numbered, told
from tasks.report.score_table import Row, TaskTable
from tasks.report.words import signed, task_name

_LANE = 21.0  # height of one arm in a class's row
_NAMES = 0.36  # of the width, at most, for the classes' names


def classes(table: TaskTable, with_real: bool = False) -> Figure | None:
    """Per class and arm the difference to the baseline: a marker on its 95 % interval.

    Classes that gain most come first. A row is a block with ``data-class``, and in it a mark has ``data-class`` and
    ``data-arm``.

    Args:
        table: of a task.
        with_real: draw the arms with real images. They gain so much that on one scale nothing would be left to see of
            the others, which are a figure of their own.
    """
    base = next((r for r in table.rows if r.role == "baseline"), None)
    rows = [r for r in table.rows if r.role != "baseline" and has_real(r) == with_real and _known(r, table)]
    if not rows or base is None:
        return None
    order = [i for i in _order(table) if any(r.cells[i].delta is not None for r in rows)]
    words = {"metric": TASKS[table.task].class_metric, "baseline": base.label, "task": task_name(table.task)}
    name = t("figures.classes_real" if with_real else "figures.classes", **words)
    known = any(r.cells[i].delta_low is not None for r in rows for i in order)
    note = t("figures.classes_note") if known else t("figures.no_interval")
    names = {i: table.columns[i].name for i in order}
    blocks = panel(rows, names, numbered(table), TASKS[table.task].class_metric, "class")
    return Figure("classes-real" if with_real else "classes", name, note, tuple(blocks))


def _known(row: Row, table: TaskTable) -> list[int]:
    """The columns of classes that the arm has a difference in."""
    pairs = enumerate(zip(table.columns, row.cells, strict=True))
    return [i for i, (column, cell) in pairs if column.is_class and cell.delta is not None]


def _order(table: TaskTable) -> list[int]:
    """The columns of classes, those that gain most first: by the mean of the arms without real images, if any."""
    arms = [r for r in table.rows if r.role != "baseline"]
    arms = [r for r in arms if not has_real(r)] or arms

    def gain(i: int) -> float:
        deltas = [d for r in arms if (d := r.cells[i].delta) is not None]
        return sum(deltas) / len(deltas) if deltas else float("-inf")

    return sorted((i for i, c in enumerate(table.columns) if c.is_class), key=lambda i: -gain(i))


def panel(
    rows: Sequence[Row], names: Mapping[int, str], looks: Mapping[str, tuple[str, int]], metric: str, kind: str
) -> Iterable[Block]:
    """A strip for each of some cells, with a mark for each row that has a difference there.

    Args:
        rows: the arms. names: position among a row's cells -> name, in the order of the strips.
        looks: arm -> class and shape. metric: that the differences are of. kind: of what is named, for ``data-``.
    """
    room = max(map(width, names.values())) + 14
    start, values = min(room, _NAMES * WIDTH), width("−88.8") + 12
    ends = [v for r in rows for i in names for v in (r.cells[i].delta, r.cells[i].delta_low, r.cells[i].delta_high)]
    across = scale([*ends, LEAST, -LEAST], start + 8, WIDTH - values, most=5)
    yield legend((*looks[r.arm], label(r)) for r in rows)
    yield axis(across, t("figures.delta", metric=metric), signed=True, above=True)
    yield from (_row(i, name, rows, across, looks, kind) for i, name in names.items())


def _row(
    i: int, name: str, rows: Sequence[Row], across: Scale, looks: Mapping[str, tuple[str, int]], kind: str
) -> Block:
    known = [r for r in rows if r.cells[i].delta is not None]
    named = wrap(name, across.start - 12)
    height = max(_LANE * len(known), LINE * len(named)) + 6
    heading = tag("g", title(name), lines(0, height / 2 - LINE * len(named) / 2, named))
    drawn = [line(0, 0, WIDTH, 0, "between"), rules(across, 0, height), heading]
    top = (height - _LANE * len(known)) / 2
    drawn += [_mark(row, i, name, across, top + _LANE * (k + 0.5), looks[row.arm], kind) for k, row in enumerate(known)]
    return Block(height, Markup("").join(drawn), ((kind, name),))


def _mark(row: Row, i: int, name: str, across: Scale, y: float, look: tuple[str, int], kind: str) -> Markup:
    cell = row.cells[i]
    assert cell.delta is not None
    ends = (cell.delta, cell.delta_low, cell.delta_high)
    drawn = estimate(across, y, ends, look, told(f"{name}, {row.label}", cell), decided(cell))
    value = text(WIDTH, y + 6, signed(cell.delta), "small value", "end")
    return tag("g", drawn, value, data_arm=row.arm, **{f"data_{kind}": name})

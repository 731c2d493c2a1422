"""A comparison's table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tasks.catalogue import ABSENT, points, t
from tasks.report.fitting import LINE_CHARS, escape, short
from tasks.report.glance import Glance, GlanceCell
from tasks.report.glance_rows import label, printed, printed_interval
from tasks.report.intervals import mark
from tasks.report.score_table import Cell, Column, Row, TaskTable
from tasks.report.words import change, count, interval, mixture, role_label

_ROWS = (30, 10, 4)  # of a table that is too long


def scores(table: TaskTable) -> Iterable[str]:
    """A table in Markdown, from the whole to the least: without its classes, and then of its first arms alone."""
    everything, metrics = range(len(table.columns)), [i for i, c in enumerate(table.columns) if not c.is_class]
    rows = len(table.rows)
    yield _grid(table, everything, rows)
    yield from (_grid(table, metrics, n) for n in (rows, *(n for n in _ROWS if n < rows)))


def _grid(table: TaskTable, columns: Sequence[int], rows: int) -> str:
    header = [t("markdown.trained_on"), t("markdown.images"), *(_heading(table.columns[i]) for i in columns)]
    lines = [_line(header), _line(["---"] + ["---:"] * (len(header) - 1))]
    lines += [_line(_cells(row, table.columns, columns)) for row in table.rows[:rows]]
    left_out = {"classes": len(table.columns) - len(columns), "arms": len(table.rows) - rows}
    told = [t(f"markdown.{what}_elsewhere", n=number) for what, number in left_out.items() if number]
    return "\n".join([*lines, *(["", " ".join(told)] if told else [])])


def _heading(column: Column) -> str:
    name = short(column.name)
    return name if column.boxes is None else t("markdown.boxes", name=name, boxes=count(column.boxes, "box"))


def _cells(row: Row, columns: Sequence[Column], shown: Sequence[int]) -> list[str]:
    images = ABSENT if row.train_images is None else f"{row.train_images:,}"
    mixed = mixture(row.images, row.drawn)
    images += f" ({escape(mixed, LINE_CHARS)})" if mixed else ""
    role = f" ({role_label(row.role)})" if row.role != "other" else ""
    return [short(row.label) + role, images, *(_cell(row.cells[i], not columns[i].is_class) for i in shown)]


def _cell(cell: Cell, with_delta: bool) -> str:
    text = f"**{points(cell.value)}**" if cell.best else points(cell.value)
    if not with_delta:
        return text
    text = f"{text} {interval(cell.low, cell.high)}".rstrip()
    told = f"{mark(cell)} {change(cell.delta, cell.delta_low, cell.delta_high)}".strip()
    return f"{text} ({told})" if cell.delta is not None else text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def by_part(table: TaskTable) -> Iterable[str]:
    """The first metric by part of the benchmark in Markdown, from the whole to its first parts alone."""
    title = t("slices.title", metric=table.columns[0].name)
    lines = [title, "", _line([t("slices.part"), t("slices.images"), *(short(row.label) for row in table.rows)])]
    lines.append(_line(["---"] + ["---:"] * (1 + len(table.rows))))
    rows = [_line([short(p.label), f"{p.images:,}", *(_cell(c, True) for c in p.cells)]) for p in table.slices]
    yield "\n".join([*lines, *rows])
    yield from ("\n".join([*lines, *rows[:n]]) for n in _ROWS if n < len(rows))


def at_a_glance(found: Glance) -> Iterable[str]:
    """The translators at a glance in Markdown, from the whole to its first rows alone."""
    measures = [cell.measure for cell in found.rows[0].cells]
    lines = [_line([t("glance.translator"), *(t(f"glance.{m}") for m in measures)])]
    lines.append(_line(["---"] + ["---:"] * len(measures)))
    rows = [_line([short(label(row)), *map(_glance_cell, row.cells)]) for row in found.rows]
    yield "\n".join([*lines, *rows])
    yield from ("\n".join([*lines, *rows[:n]]) for n in _ROWS if n < len(rows))


def _glance_cell(cell: GlanceCell) -> str:
    if cell.value is None:
        return escape(cell.missing)
    told = f"{mark(cell)} {printed(cell)} {printed_interval(cell)}".strip()
    return f"**{told}**" if cell.best else told


def protocol(table: TaskTable) -> str:
    """What a table holds under, in a line."""
    facts = [
        t("markdown.fact", name=f.name, value=escape(f.value)) + (f" {t('markdown.differs')}" if f.differs else "")
        for f in table.protocol
    ]
    return " · ".join(facts)

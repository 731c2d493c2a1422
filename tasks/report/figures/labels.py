"""How figures name arms and outcomes."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from tasks.charts import LINE, WIDTH, Block, lines, marker, series, tag, width, wrap
from tasks.report.score_table import Cell, Row, TaskTable
from tasks.report.words import MARKS, change, outcome_label, role_label

_INDENT = 22.0


def label(row: Row) -> str:
    """An arm's name and its part in the comparison."""
    return row.label if row.role == "other" else f"{row.label} ({role_label(row.role)})"


def role(row: Row) -> str:
    """The class of what an arm was trained on: ``baseline``, ``oracle``, ``mixed`` or ``other``."""
    return "mixed" if row.role == "other" and row.arm.mixed else row.role


def has_real(row: Row) -> bool:
    """Whether the arm was trained on real images, alone or with others."""
    return row.role == "oracle" or row.arm.has_real


def outcome(cell: Cell) -> str:
    """What a difference comes to, in words; nothing where that is not known."""
    return outcome_label(cell.outcome) if cell.outcome else ""


def told(name: str, cell: Cell) -> str:
    """A difference for the mouse that rests on it, as ``Sky, Translated (cut): +4.1 [2.4, 5.8], improves``."""
    words = outcome(cell)
    return f"{name}: {change(cell.delta, cell.delta_low, cell.delta_high)}{f', {words}' if words else ''}"


def marked(cell: Cell) -> str:
    """A difference with its mark and interval, as ``▲ +4.1 [2.9, 5.2]``."""
    mark = MARKS[cell.outcome] if cell.outcome else ""
    return f"{mark} {change(cell.delta, cell.delta_low, cell.delta_high)}".strip()


def decided(cell: Cell) -> bool:
    """Whether a difference is drawn filled: it is one, or nothing is known of that."""
    return cell.outcome in (None, "improves", "harms")


def legend(entries: Iterable[tuple[str, int, str]]) -> Block:
    """Markers and what they stand for: (class, shape, words), side by side while there is room."""
    x, y, drawn = 0.0, 0.0, []
    for class_, form, words in entries:
        named = wrap(words, WIDTH - _INDENT)
        room = _INDENT + max(map(width, named))
        if x and x + room > WIDTH:
            x, y = 0.0, y + LINE
        mark = tag("g", marker("dot", form, x + 7, y + LINE / 2), class_=class_)
        drawn += [mark, lines(x + _INDENT, y, named)]
        x += room + _INDENT
        if len(named) > 1:
            x, y = 0.0, y + LINE * len(named)
    return Block(y + (LINE if x else 0.0) + 6, Markup("").join(drawn))


def numbered(table: TaskTable) -> dict[str, tuple[str, int]]:
    """Arm -> class and shape of its series; first those without real images. The baseline has none."""
    arms = [r for r in table.rows if r.role != "baseline"]
    arms.sort(key=has_real)
    return {row.arm: series(i) for i, row in enumerate(arms)}

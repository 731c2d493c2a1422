"""The colour gap by class: how far each class's colours are from the real ones, before and after translation."""

from __future__ import annotations

from markupsafe import Markup

from tasks.catalogue import figure as told
from tasks.catalogue import t
from tasks.charts import (
    LINE,
    WIDTH,
    Block,
    Figure,
    Scale,
    axis,
    line,
    lines,
    marker,
    rules,
    scale,
    tag,
    text,
    title,
    width,
    wrap,
)
from tasks.contracts import ClassGap
from tasks.report.figures.labels import legend
from tasks.report.model import AuditPart

_NAMES = 0.36  # of the width, at most, for the classes' names


def gap(part: AuditPart, name: str) -> Figure | None:
    """A line from each class's distance before to that after: what the table's two columns leave to be worked out.

    Args:
        part: of the audit. name: of the translated set.
    """
    found = part.audit.gap.classes if part.audit.gap else ()
    known = [c for c in found if c.colour_before is not None and c.colour_after is not None]
    if not known:
        return None
    known.sort(key=lambda c: (c.colour_after or 0.0) - (c.colour_before or 0.0))
    start = min(max(width(c.name) for c in known) + 14, _NAMES * WIDTH)
    values = [v for c in known for v in (c.colour_before, c.colour_after)]
    across = scale(values, start + 8, WIDTH - width("88.8 → 88.8") - 14, most=4)
    entries = [
        ("before", 0, t("figures.gap_before")),
        ("up", 0, t("figures.nearer")),
        ("down", 0, t("figures.farther")),
    ]
    blocks = (legend(entries), *(_row(c, across) for c in known), axis(across, t("figures.gap_unit")))
    return Figure("gap", t("figures.gap", name=name), t("figures.gap_note"), blocks)


def _row(found: ClassGap, across: Scale) -> Block:
    before, after = found.colour_before or 0.0, found.colour_after or 0.0
    words = f"{told(before)} → {told(after)}"
    look = "neutral" if told(before) == told(after) else "up" if after < before else "down"
    y, height = LINE * 0.6, LINE * 1.2
    drawn = [
        title(f"{found.name}: {words}"),
        line(across(before), y, across(after), y, "way"),
        tag("g", marker("dot", 0, across(before), y), class_="before"),
        marker("dot", 0, across(after), y),
    ]
    content = [
        rules(across, 0, height),
        lines(0, y - LINE / 2, wrap(found.name, across.start - 12, 1)),
        tag("g", *drawn, class_=look),
        text(WIDTH, y + 6, words, "small value", "end"),
    ]
    return Block(height, Markup("").join(content), (("class", found.name),))

"""The report as one HTML file: styles and pictures inside, no script, nothing fetched."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import Any

from jinja2 import Template

from tasks.datasets.pages import environment
from tasks.report import curves, words
from tasks.report.markdown import first_line
from tasks.report.model import Report, TaskTable
from tasks.report.pictures import pack
from tasks.report.provenance import chain

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 8_000_000  # what mail and chat still take as an attachment
_SHRINK, _SMALLEST = 0.75, 96


def render_html(report: Report, image_width: int, max_bytes: int = MAX_BYTES) -> str:
    """Render the page.

    Args:
        report: the report as built (read back from ``report.json`` it has no pictures, only placeholders).
        image_width: pictures are scaled down to so many pixels; further where the page would pass ``max_bytes``.
    """
    while True:
        page = _template().render(report=report, pack=functools.partial(pack, width=image_width), **_helpers())
        if len(page.encode()) <= max_bytes or image_width <= _SMALLEST:
            return page
        log.info("the page has %.1f MB: pictures are made smaller", len(page.encode()) / 1e6)
        image_width = max(_SMALLEST, int(image_width * _SHRINK))


@functools.cache
def _template() -> Template:
    templates = environment(TEMPLATES)
    for name in ("points", "signed", "sign", "duration", "count", "arm_label", "is_mixed"):
        templates.filters[name] = getattr(words, name)
    templates.filters["first_line"] = first_line
    return templates.get_template("report.html.j2")


def _helpers() -> dict[str, Any]:
    return {"charts": curves.charts, "chart_size": (curves.WIDTH, curves.HEIGHT), "chain": chain, "scale": scale}


def scale(table: TaskTable) -> float:
    """The full length of the bars of a table's first metric, in points: a little more than the highest score."""
    scores = [v for r in table.rows for v in (r.cells[0].value, *r.cells[0].seeds.values()) if v is not None]
    return 1.05 * max(scores, default=0.0) or 100.0

"""The report as one HTML file: styles and pictures inside, no script, nothing fetched."""

from __future__ import annotations

import functools
import logging
from pathlib import Path
from typing import Any

from jinja2 import Template

from tasks.datasets.pages import environment
from tasks.report import audits, curves, domains, intervals, words
from tasks.report.gallery.pictures import pack
from tasks.report.markdown import first_line
from tasks.report.model import Report, TaskTable
from tasks.report.provenance import chain

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 8_000_000  # what mail and chat still take as an attachment
_WORDS = (
    *("points", "signed", "sign", "duration", "count", "arm_label", "is_mixed", "mixture", "legend"),
    *("percent", "figure", "rate_words", "rate_interval"),
)
_AUDITS = ("acted", "destinations", "failed", "few", "measured_detail", "measured_recall", "passed", "seen", "unseen")
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
    templates.filters.update({name: getattr(words, name) for name in _WORDS})
    templates.filters.update({name: getattr(audits, name) for name in _AUDITS})
    templates.filters.update({"first_line": first_line, "mark": intervals.mark})
    return templates.get_template("report.html.j2")


def _helpers() -> dict[str, Any]:
    return {
        "charts": curves.charts,
        "chart_size": (curves.WIDTH, curves.HEIGHT),
        "clouds": domains.clouds,
        "map_size": (domains.WIDTH, domains.HEIGHT),
        "interval": words.interval,
        "measure": words.measure,
        "chain": chain,
        "scale": scale,
    }


def scale(table: TaskTable) -> float:
    """The full length of the bars of a table's first metric, in points: a little more than the highest score."""
    cells = [r.cells[0] for r in table.rows]
    scores = [v for c in cells for v in (c.value, c.high, *c.seeds.values()) if v is not None]
    return 1.05 * max(scores, default=0.0) or 100.0

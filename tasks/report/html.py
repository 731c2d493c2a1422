"""The report as one HTML file: styles, script and pictures inside, nothing fetched; all is there without a script."""

from __future__ import annotations

import base64
import functools
import logging
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Template

from tasks.audit import check_sentence, measure_label, subject_label
from tasks.catalogue import say, speaking, t
from tasks.contracts import Arm
from tasks.datasets import page_templates
from tasks.report import audits, glance_rows, intervals, words
from tasks.report.costs import stages
from tasks.report.figures import page as figures
from tasks.report.gallery.pictures import pack
from tasks.report.markdown import first_line
from tasks.report.model import Report, TaskTable
from tasks.report.provenance import chain

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 8_000_000  # what mail and chat still take as an attachment
_WORDS = (
    *("points", "signed", "sign", "duration", "memory", "arm_label", "mixture", "legend"),
    *("percent", "figure", "rate_words", "rate_interval", "task_label", "outcome_label", "check_label"),
    *("role_label", "roles_label", "stage_label", "artifact_label", "input_label"),
)
_AUDITS = ("acted", "destinations", "failed", "few", "measured_detail", "measured_recall", "passed", "seen", "unseen")
_SHRINK, _SMALLEST = 0.75, 96


def render_html(report: Report, image_width: int, max_bytes: int = MAX_BYTES) -> str:
    """Render the page, in the report's language.

    Args:
        report: the report as built (read back from ``report.json`` it has no pictures, only placeholders).
        image_width: pictures are scaled down to so many pixels; further where the page would pass ``max_bytes``.
    """
    with speaking(report.language):
        while True:
            drawn = functools.partial(pack, width=image_width)
            page = _template().render(
                report=report, pack=drawn, leads=_leads(report), audited={a.name for a in report.audits}, **_helpers()
            )
            if len(page.encode()) <= max_bytes or image_width <= _SMALLEST:
                return page
            log.info("the page has %.1f MB: pictures are made smaller", len(page.encode()) / 1e6)
            image_width = max(_SMALLEST, int(image_width * _SHRINK))


@functools.cache
def _template() -> Template:
    templates = page_templates(TEMPLATES)
    templates.filters.update({name: getattr(words, name) for name in _WORDS})
    templates.filters.update({name: getattr(audits, name) for name in _AUDITS})
    templates.filters.update(
        {
            "measure_label": measure_label,
            "subject_label": subject_label,
            "check_sentence": check_sentence,
            "say": say,
            "first_line": first_line,
            "mark": intervals.mark,
            "glance_label": glance_rows.label,
            "printed": glance_rows.printed,
            "printed_interval": glance_rows.printed_interval,
            "stages": stages,
            "text_uri": _text_uri,
            "translated_label": lambda name: words.arm_label(Arm.translated(name)),
            "yaml": _yaml,
        }
    )
    templates.globals["t"] = t
    return templates.get_template("report.html.j2")


def _helpers() -> dict[str, Any]:
    return {
        "figures": figures,
        "interval": words.interval,
        "measure": words.measure,
        "chain": chain,
        "scale": scale,
    }


def _leads(report: Report) -> set[str]:
    """The translators whose pictures are open at once: those that a verdict is about, or all without one."""
    named = {v.arm.translator for v in report.verdicts if v.arm} - {None}
    return {str(n) for n in named} or {t.name for t in report.translators}


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _text_uri(text: str) -> str:
    return "data:text/yaml;base64," + base64.b64encode(text.encode()).decode()


def scale(table: TaskTable) -> float:
    """The full length of the bars of a table's first metric, in points: a little more than the highest score."""
    cells = [r.cells[0] for r in table.rows]
    scores = [v for c in cells for v in (c.value, c.high, *c.seeds.values()) if v is not None]
    return 1.05 * max(scores, default=0.0) or 100.0

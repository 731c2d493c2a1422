"""The report as one HTML file: styles, script and pictures inside, nothing fetched; all is there without a script.

A page that would be too large to be mailed has its pictures in files beside it.
"""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Template

from tasks.audit import check_sentence, measure_label, subject_label
from tasks.catalogue import say, speaking, t
from tasks.contracts import Arm
from tasks.datasets import page_templates
from tasks.report import audits, glance_rows, intervals, words
from tasks.report.beside import Beside
from tasks.report.costs import stages
from tasks.report.figures import page as figures
from tasks.report.figures.save import audit_files
from tasks.report.markdown import first_line
from tasks.report.model import Report
from tasks.report.provenance import chain
from tasks.report.savings import savings
from tasks.report.score_table import TaskTable

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
MAX_BYTES = 8_000_000  # what mail and chat still take as an attachment
_WORDS = (
    *("points", "signed", "sign", "duration", "memory", "arm_label", "mixture", "legend"),
    *("percent", "figure", "rate_words", "rate_interval", "task_label", "outcome_label", "check_label"),
    *("role_label", "roles_label", "sums", "stage_label", "artifact_label", "input_label"),
)
_AUDITS = ("acted", "destinations", "failed", "few", "measured_detail", "measured_recall", "passed", "seen", "unseen")
FIGURES = "figures"  # the folder of the figures' files, from the page
_SHRINK, _SMALLEST = 0.75, 96


def render_html(report: Report, image_width: int, max_bytes: int = MAX_BYTES, folder: Path | None = None) -> str:
    """Render the page, in the report's language, at most ``max_bytes`` large.

    Where it would be larger, its pictures are made smaller; where less than half as wide would be too large still, they
    are files in ``folder`` instead, and if that is not enough, the audits' figures are those that ``save_figures``
    wrote there. The page says so.

    Args:
        report: the report as built (read back from ``report.json`` it has no pictures, only placeholders).
        image_width: pictures are scaled down to so many pixels.
        folder: of the page; None where there can be nothing beside it: then pictures are made as small as it takes.
    """
    with speaking(report.language):
        least = _SMALLEST if folder is None else max(_SMALLEST, image_width // 2)
        width = image_width
        while True:
            page = _rendered(report, width, Beside())
            if len(page.encode()) <= max_bytes or width <= least:
                break
            log.info("the page has %.1f MB: pictures are made smaller", len(page.encode()) / 1e6)
            width = max(least, int(width * _SHRINK))
        for beside in _beside(report, folder) if folder is not None else ():
            if len(page.encode()) <= max_bytes:
                break
            log.info("the page has %.1f MB: pictures are put beside it", len(page.encode()) / 1e6)
            page = _rendered(report, image_width, beside)
        if len(page.encode()) > max_bytes:
            log.warning("the page has %.1f MB, more than %.1f", len(page.encode()) / 1e6, max_bytes / 1e6)
        return page


def _beside(report: Report, folder: Path) -> Iterable[Beside]:
    """What can lie beside the page: the pictures, then the audits' figures as well."""
    yield Beside(folder)
    files = {(of, kind): f"{FIGURES}/{name}.svg" for name, of, kind in audit_files(report)}
    yield Beside(folder, {which: file for which, file in files.items() if (folder / file).is_file()})


def _rendered(report: Report, width: int, beside: Beside) -> str:
    drawn = functools.partial(beside.packed, width=width)
    audited = {part.name for part in report.audits}
    told = {"pack": drawn, "leads": _leads(report), "audited": audited, "beside": beside}
    return _template().render(report=report, **told, **_helpers())


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
            "savings": savings,
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

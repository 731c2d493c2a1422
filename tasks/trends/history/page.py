"""``history.html``: the trend of a pipeline's scores as one page, without script, nothing fetched."""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Template

from tasks.catalogue import Language, points, speaking, t
from tasks.datasets import page_templates
from tasks.report import TEMPLATES as REPORT_TEMPLATES
from tasks.report import arm_label, interval, signed, task_label
from tasks.store import atomic_path
from tasks.trends.history.archive import Kept, LeftOut, read_archive
from tasks.trends.history.chart import swatch
from tasks.trends.history.findings import SHOWN, judged, regressions
from tasks.trends.history.panels import Panel, kind, moment, panels
from tasks.trends.history.sheets import Sheet, scores_sheet, translators_sheet
from tasks.trends.history.trend import TOLERANCE, Trend, entry, trends

HISTORY = "history.html"
TEMPLATES = Path(__file__).parents[1] / "templates"


def write_history(folder: Path, language: Language = "en") -> Path:
    """Write the trend page of a pipeline from its archive.

    A report that cannot be read is listed on the page; with fewer than two reports, the page says what it needs.

    Args:
        folder: the pipeline's folder, with what ``archive`` keeps in ``history/``.
        language: of the page.

    Returns:
        The page, ``history.html`` in the folder.
    """
    with speaking(language):
        reports, left_out = read_archive(folder)
        text = render_history(folder.resolve().name, reports, left_out, language)
    path = folder / HISTORY
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def render_history(name: str, reports: list[tuple[str, Kept]], left_out: list[LeftOut], language: Language) -> str:
    """Render the page of a pipeline, in the language that is being spoken.

    Args:
        name: the pipeline's, where no report says it.
        reports: file name and report, the earliest first.
        left_out: files that could not be read.
        language: as the page declares it.
    """
    entries = [entry(file, report) for file, report in reports]
    found = trends(entries)
    regressed = regressions(found)
    last = entries[-1] if entries else None
    return _template().render(
        language=language,
        name=reports[-1][1].name if reports else name,
        entries=entries,
        nights=sum(e.nightly for e in entries),
        left_out=left_out,
        last=last,
        judged=judged(found, last),
        latest=[r for r in regressed if r.entry is last],
        regressed=regressed[:SHOWN],
        earlier=max(len(regressed) - SHOWN, 0),
        moment=moment,
        kind=kind,
        tasks=[_Task(trend) for trend in found],
        tolerance=TOLERANCE,
    )


class _Task:
    """A task's part of the page; ``more`` are the tables of its other metrics."""

    def __init__(self, trend: Trend) -> None:
        self.task = trend.task
        self.panels: list[Panel] = panels(trend)
        self.scores, *self.more = (scores_sheet(trend, metric) for metric in trend.metrics)
        self.translators: Sheet | None = translators_sheet(trend)


@functools.cache
def _template() -> Template:
    templates = page_templates(TEMPLATES, REPORT_TEMPLATES)
    templates.filters.update({f.__name__: f for f in (points, signed, arm_label, task_label)})
    templates.globals.update({"t": t, "interval": interval, "swatch": swatch})
    return templates.get_template("history.html.j2")

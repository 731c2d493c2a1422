"""The ``report`` artifact: one run's report in every form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tasks.contracts import Artifact, RunRecord
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.csvs import save_csvs
from tasks.report.figures.save import save_figures
from tasks.report.gallery.files import save_pictures
from tasks.report.html import FIGURES, render_html
from tasks.report.markdown import render_markdown
from tasks.report.model import REPORT_JSON
from tasks.store import Recipe, Store, code_version, write_json

MARKDOWN, PAGE, CONFIG = "report.md", "report.html", "config.yaml"
WORDS = "tasks.catalogue.language"  # here they are the result


def build_report_files(config: ReportConfig, record: RunRecord, store: Store) -> Artifact:
    """Return the ``report`` artifact of a run.

    Args:
        config: the section of the configuration.
        record: what the run made; every artifact of it is an input.
        store: where the report goes.

    Returns:
        Artifact of kind ``report``: ``report.json``, ``report.md``, ``report.html``, ``config.yaml`` (the resolved
        configuration, which repeats the run), ``tables/*.csv``, ``figures/``, and ``pictures/`` where the page had no
        room for them.
    """
    recipe = report_recipe(config, record, store.resolved)
    return store.build(recipe, lambda folder: _write(config, record, store.resolved, folder))


def report_recipe(config: ReportConfig, record: RunRecord, resolved: dict[str, Any]) -> Recipe:
    """What a ``report`` artifact is made from; ``resolved`` is the run's whole configuration, which it shows."""
    known = record.model_dump(mode="json", include={"name": True, "flow": True, "failures": True})
    return Recipe(
        "report",
        config={**config.model_dump(mode="json"), **known, "resolved": resolved},
        inputs={str(stage): artifact for stage, artifact in record.artifacts().items()},
        code=code_version(__name__, WORDS),
    )


def _write(config: ReportConfig, record: RunRecord, resolved: dict[str, Any], folder: Path) -> dict[str, Any]:
    report = build_report(record, config, resolved)
    write_json(folder / REPORT_JSON, report.to_json())
    (folder / CONFIG).write_text(yaml.safe_dump(report.config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    save_csvs(report, folder / "tables")
    save_figures(report, folder / FIGURES)
    save_pictures(report.galleries, folder / FIGURES)
    (folder / MARKDOWN).write_text(render_markdown(report), encoding="utf-8")
    (folder / PAGE).write_text(render_html(report, config.image_width, folder=folder), encoding="utf-8")
    return {"verdicts": {v.task: v.sentence for v in report.verdicts}, "failures": len(report.failures)}

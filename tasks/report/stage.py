"""The report room's Prefect task."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import yaml
from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, TaskRunContext

from tasks.progress import artifact_key
from tasks.report.config import ReportConfig
from tasks.report.record import RunRecord
from tasks.store import Artifact, Store, code_version, content_digest, file_sha256, write_json

log = logging.getLogger(__name__)

MARKDOWN, PAGE, CONFIG = "report.md", "report.html", "config.yaml"
_ROOM = Path(__file__).parent
_APART = {"__init__", "__main__", "schema", "terminal"}  # what changes nothing in a report
_CODE = (
    *("tasks.report.figures", "tasks.report.gallery"),
    *(f"tasks.report.{path.stem}" for path in sorted(_ROOM.glob("*.py")) if path.stem not in _APART),
    *(f"tasks.datasets.{name}" for name in ("table", "masks", "images", "pages", "select", "overview")),
    "tasks.evaluate.outcome",
    *(f"tasks.evaluate.audit.{name}" for name in ("model", "detail", "geometry", "rates")),
)


@task(name="write report", cache_policy=NO_CACHE)
def write_report(config: ReportConfig, record: RunRecord, store: Store) -> Artifact:
    """Write the comparison report; inside a flow run its Markdown is also shown in Prefect.

    Args:
        config: the section of the configuration.
        record: what the run made; every artifact of it is an input.
        store: where the report goes.

    Returns:
        Artifact of kind ``report``: ``report.json``, ``report.md``, ``report.html``, ``config.yaml`` (the resolved
        configuration, which repeats the run), ``tables/*.csv`` and ``figures/``.
    """
    known = record.model_dump(mode="json", include={"name": True, "flow": True, "failures": True})
    artifact = store.build(
        "report",
        config={**config.model_dump(mode="json"), **known, "resolved": store.resolved},
        inputs=record.artifacts(),
        code=_code(),
        make=lambda folder: _write(config, record, store.resolved, folder),
    )
    if FlowRunContext.get() or TaskRunContext.get():
        _publish(record.name, artifact.file(MARKDOWN).read_text(encoding="utf-8"))
    return artifact


def _write(config: ReportConfig, record: RunRecord, resolved: dict[str, Any], folder: Path) -> dict[str, Any]:
    from tasks.report.build import build_report
    from tasks.report.csvs import save_csvs
    from tasks.report.figures.save import save_figures
    from tasks.report.gallery.files import save_pictures
    from tasks.report.html import render_html
    from tasks.report.markdown import render_markdown
    from tasks.report.model import REPORT_JSON

    report = build_report(record, config, resolved)
    write_json(folder / REPORT_JSON, report.to_json())
    (folder / CONFIG).write_text(yaml.safe_dump(report.config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    save_csvs(report, folder / "tables")
    save_figures(report, folder / "figures")
    save_pictures(report.galleries, folder / "figures")
    (folder / MARKDOWN).write_text(render_markdown(report), encoding="utf-8")
    (folder / PAGE).write_text(render_html(report, config.image_width), encoding="utf-8")
    return {"verdicts": {v.task: v.sentence for v in report.verdicts}, "failures": len(report.failures)}


def _code() -> str:
    """The version of the room's code; its templates and texts count, too."""
    files = sorted([*(_ROOM / "templates").iterdir(), *(_ROOM / "catalogue").rglob("*.yaml")])
    return content_digest([code_version(*_CODE), *([f.relative_to(_ROOM).as_posix(), file_sha256(f)] for f in files)])


def _publish(name: str, markdown: str) -> None:
    """Show the report in Prefect. A server that does not answer costs the display, not the report."""
    key = artifact_key("report", name)
    try:
        create_markdown_artifact(key=key, markdown=markdown, description=f"Comparison report of {name}")
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the report is not shown in Prefect: %s", error)

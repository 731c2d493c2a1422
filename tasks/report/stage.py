"""The report room's Prefect task."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, TaskRunContext

from tasks.report.config import ReportConfig
from tasks.report.record import RunRecord
from tasks.store import Artifact, Store, code_version, content_digest, file_sha256, write_json

log = logging.getLogger(__name__)

MARKDOWN, PAGE = "report.md", "report.html"
_CODE = (
    "tasks.report",
    *(f"tasks.datasets.{name}" for name in ("table", "masks", "images", "pages")),
    *(f"tasks.evaluate.{name}" for name in ("outcome", "audit.model")),
)


@task(name="write report", cache_policy=NO_CACHE)
def write_report(config: ReportConfig, record: RunRecord, store: Store) -> Artifact:
    """Write the comparison report; inside a flow run its Markdown is also shown in Prefect.

    Args:
        config: the section of the configuration.
        record: what the run made; every artifact of it is an input.
        store: where the report goes.

    Returns:
        Artifact of kind ``report``: ``report.json``, ``report.md`` and ``report.html``.
    """
    known = record.model_dump(mode="json", include={"name": True, "failures": True})
    artifact = store.build(
        "report",
        config={**config.model_dump(mode="json"), **known},
        inputs=record.artifacts(),
        code=_code(),
        make=lambda folder: _write(config, record, folder),
    )
    if FlowRunContext.get() or TaskRunContext.get():
        _publish(record.name, artifact.file(MARKDOWN).read_text(encoding="utf-8"))
    return artifact


def _write(config: ReportConfig, record: RunRecord, folder: Path) -> dict[str, Any]:
    from tasks.report.build import build_report
    from tasks.report.html import render_html
    from tasks.report.markdown import render_markdown
    from tasks.report.model import REPORT_JSON

    report = build_report(record, config)
    write_json(folder / REPORT_JSON, report.to_json())
    (folder / MARKDOWN).write_text(render_markdown(report), encoding="utf-8")
    (folder / PAGE).write_text(render_html(report, config.image_width), encoding="utf-8")
    return {"verdicts": {v.task: v.sentence for v in report.verdicts}, "failures": len(report.failures)}


def _code() -> str:
    """The version of the room's code; its templates and texts count, too."""
    room = Path(__file__).parent
    files = sorted([*(room / "templates").iterdir(), *(room / "catalogue").rglob("*.yaml")])
    return content_digest([code_version(*_CODE), *([f.relative_to(room).as_posix(), file_sha256(f)] for f in files)])


def _publish(name: str, markdown: str) -> None:
    """Show the report in Prefect. A server that does not answer costs the display, not the report."""
    key = "report-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "run")
    try:
        create_markdown_artifact(key=key, markdown=markdown, description=f"Comparison report of {name}")
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the report is not shown in Prefect: %s", error)

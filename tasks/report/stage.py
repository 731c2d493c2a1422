"""The room's Prefect task."""

from __future__ import annotations

import logging

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext, TaskRunContext

from tasks.compute import artifact_key
from tasks.contracts import Artifact, RunRecord
from tasks.report.config import ReportConfig
from tasks.report.make_report import MARKDOWN, build_report_files
from tasks.store import Store

log = logging.getLogger(__name__)


@task(name="write report", cache_policy=NO_CACHE)
def write_report(config: ReportConfig, record: RunRecord, store: Store) -> Artifact:
    """Write the comparison report, or find it: see ``build_report_files``. A flow run shows its Markdown in Prefect."""
    artifact = build_report_files(config, record, store)
    if FlowRunContext.get() or TaskRunContext.get():
        _publish(record.name, artifact.file(MARKDOWN).read_text(encoding="utf-8"))
    return artifact


def _publish(name: str, markdown: str) -> None:
    """Show the report in Prefect. A server that does not answer costs the display, not the report."""
    key = artifact_key("report", name)
    try:
        create_markdown_artifact(key=key, markdown=markdown, description=f"Comparison report of {name}")
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the report is not shown in Prefect: %s", error)

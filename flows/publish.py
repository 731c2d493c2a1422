"""What a run leaves outside the store: its report, timings, record and resolved configuration."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml
from prefect.artifacts import create_link_artifact
from prefect.context import FlowRunContext

from flows.config import PipelineConfig
from tasks.catalogue import speaking
from tasks.compute import Exclusive, artifact_key
from tasks.contracts import AUDIT_IMAGES, Artifact, Audit, Failure, RunRecord, Stage
from tasks.datasets import REJECTED, read_rejected, tell_rejected
from tasks.report import REPORT_JSON, print_report
from tasks.store import PARTIAL, Manifest, atomic_path, replace_folder, write_json
from tasks.trends import archive, write_history

log = logging.getLogger(__name__)

RECORD = "run.json"


class IncompleteRun(Exception):
    """Some arms of the matrix failed."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        cells = "\n".join(f"  {f.task} {f.arm} seed {f.seed}: {f.error}" for f in failures)
        super().__init__(f"{len(failures)} of the matrix's models failed (what there is covers the others):\n{cells}")


def publish(settings: PipelineConfig, record: RunRecord, report: Artifact, folder: Path | None = None) -> None:
    """Write a run's results to its folder (or to ``folder``), and print its tables and the report's path.

    The folder holds ``report/`` (report.html, report.md, report.json, tables as CSV, figures), ``checks.html``,
    ``comparison.json``, ``timings.json`` (stage -> seconds that building its result took, and whether this run found
    it finished), ``run.json``, ``config.yaml``, for each data set ``rejected/<role>.csv``, and for each audited
    translation ``audit/<translator>/`` (audit.json, images.parquet). The pipeline's ``history.html`` takes in a
    night's, too.

    A pipeline's folder has one writer at a time: another run of its name waits. A run that is killed leaves in it the
    report of the run before, or its own.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    with Exclusive(settings.folder / ".lock", f"publishing {settings.name}"):
        _publish(settings, record, report, folder or settings.folder)


def _publish(settings: PipelineConfig, record: RunRecord, report: Artifact, folder: Path) -> None:
    _replace(report, folder / "report")
    for role, dataset in (("source", record.source), ("target", record.target), ("benchmark", record.benchmark)):
        with speaking(settings.report.language):
            tell_rejected(folder / "rejected" / f"{role}.csv", read_rejected(dataset.file(REJECTED)))
    if record.checks is not None:
        _copy(record.checks, "checks.html", folder / "checks.html")
    for name, audit in record.audits.items():
        for file in (Audit.FILE, AUDIT_IMAGES):
            _copy(audit, file, folder / "audit" / name / file)
    if record.comparison is not None:
        _copy(record.comparison, "comparison.json", folder / "comparison.json")
    stages = {**record.artifacts(), Stage(kind="report"): report}
    write_json(folder / "timings.json", {str(s): {"seconds": a.seconds, "cached": a.cached} for s, a in stages.items()})
    write_json(folder / RECORD, record.to_json())
    with atomic_path(folder / "config.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    print_report(report, record)
    page = folder / "report" / "report.html"
    _link(f"{settings.name} {folder.name}" if folder != settings.folder else settings.name, page)
    archive(folder / "report" / REPORT_JSON, settings.folder)
    history = write_history(settings.folder, settings.report.language)
    print(f"report: {page}")
    print(f"history: {history}")


def _replace(report: Artifact, folder: Path) -> None:
    """Put the report's files where those of the run before were; what only that one had goes."""
    new = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(new, ignore_errors=True)  # what a run that was killed has left
    for entry in Manifest.read(report.path).files:
        _copy(report, entry.path, new / entry.path)
    replace_folder(new, folder)


def _link(name: str, page: Path) -> None:
    """Show where the report is in Prefect. A server that does not answer costs the display, not the report."""
    if FlowRunContext.get() is None:
        return
    try:
        link = page.resolve().as_uri()
        create_link_artifact(
            link=link, link_text=page.name, key=artifact_key("page", name), description=f"Report of {name}"
        )
    except Exception as error:  # noqa: BLE001 - whatever Prefect's client raises
        log.warning("the report's place is not shown in Prefect: %s", error)


def _copy(artifact: Artifact, name: str, to: Path) -> None:
    with atomic_path(to) as temporary:
        shutil.copyfile(artifact.file(name), temporary)

"""What a run leaves outside the store: its report, timings, record and resolved configuration."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from flows.config import PipelineConfig
from tasks.report.record import Failure, RunRecord
from tasks.report.terminal import print_report
from tasks.store import Artifact, atomic_path, write_json

RECORD = "run.json"


class IncompleteRun(Exception):
    """Some arms of the matrix failed."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        cells = "\n".join(f"  {f.task} {f.arm} seed {f.seed}: {f.error}" for f in failures)
        super().__init__(f"{len(failures)} of the matrix's models failed (the report covers the others):\n{cells}")


def publish(settings: PipelineConfig, record: RunRecord, report: Artifact, folder: Path | None = None) -> None:
    """Write a run's results to its folder (or to ``folder``), and print its tables and the report's path.

    The folder holds ``report/`` (report.json, report.md, report.html), ``checks.html``, ``comparison.json``,
    ``timings.json`` (stage -> seconds that building its result took, and whether this run found it finished),
    ``run.json``, ``config.yaml``, for each data set ``rejected/<role>.csv``, and for each audited translation
    ``audit/<translator>/`` (audit.json, images.parquet).
    """
    folder = folder or settings.folder
    for name in ("report.json", "report.md", "report.html"):
        _copy(report, name, folder / "report" / name)
    for role, dataset in (("source", record.source), ("target", record.target), ("benchmark", record.benchmark)):
        _copy(dataset, "rejected.csv", folder / "rejected" / f"{role}.csv")
    if record.checks is not None:
        _copy(record.checks, "checks.html", folder / "checks.html")
    for name, audit in record.audits.items():
        for file in ("audit.json", "images.parquet"):
            _copy(audit, file, folder / "audit" / name / file)
    if record.comparison is not None:
        _copy(record.comparison, "comparison.json", folder / "comparison.json")
    stages = {**record.artifacts(), "report": report}
    write_json(folder / "timings.json", {n: {"seconds": a.seconds, "cached": a.cached} for n, a in stages.items()})
    write_json(folder / RECORD, record.model_dump(mode="json"))
    with atomic_path(folder / "config.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    print_report(report, record)
    print(f"report: {folder / 'report' / 'report.html'}")


def _copy(artifact: Artifact, name: str, to: Path) -> None:
    with atomic_path(to) as temporary:
        shutil.copyfile(artifact.file(name), temporary)

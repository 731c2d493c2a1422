"""The archive of a pipeline's reports: one file a report, named so that files sort by time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from tasks.catalogue import t
from tasks.contracts import Task
from tasks.report import READABLE, Column, DatasetRow, Node, Row, ScoreRef
from tasks.store import PARTIAL, atomic_path

FOLDER = "history"


class Head(BaseModel):
    """What a report's file is named by."""

    schema_version: Literal[3, 4] = Field(alias="schema")
    flow: str
    finished: datetime

    @property
    def moment(self) -> datetime:
        """When the run finished, in UTC."""
        known = self.finished if self.finished.tzinfo else self.finished.replace(tzinfo=UTC)
        return known.astimezone(UTC)


class Table(BaseModel):
    """Of a task's table, the scores."""

    task: Task
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


class Chain(BaseModel):
    """Of the provenance, what leads from scores to models."""

    scores: tuple[ScoreRef, ...]
    nodes: dict[str, Node]


class Kept(Head):
    """Of a report, what a trend needs: reading a year of whole reports would take a minute."""

    name: str
    title: str
    tables: tuple[Table, ...]
    datasets: tuple[DatasetRow, ...]
    provenance: Chain


@dataclass(frozen=True)
class LeftOut:
    """A file of the archive that is not part of the history, and why."""

    file: str
    reason: str


def archive(report: Path, folder: Path) -> Path:
    """Keep a copy of a report; the same report twice is one file.

    Args:
        report: a ``report.json``.
        folder: the pipeline's folder; the copy is ``history/<UTC finished>-<flow>-<digest>.json`` in it.

    Raises:
        OSError, pydantic.ValidationError: it cannot be read, or is no report of this version.
    """
    content = report.read_bytes()
    head = Head.model_validate_json(content)
    flow = re.sub(r"[^a-z0-9]+", "-", head.flow.lower()).strip("-") or "run"
    digest = hashlib.sha256(content).hexdigest()[:8]
    path = folder / FOLDER / f"{head.moment:%Y%m%dT%H%M%SZ}-{flow}-{digest}.json"
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return path


def read_archive(folder: Path) -> tuple[list[tuple[str, Kept]], list[LeftOut]]:
    """Read the archive of a pipeline's folder, in the language that is being spoken.

    Returns:
        File name and report, the earliest first, the same results once; and the files that are left out.
    """
    kept: list[tuple[str, Kept]] = []
    left_out: list[LeftOut] = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        if PARTIAL in path.suffixes:  # what a crash left
            continue
        try:
            kept.append((path.name, Kept.model_validate_json(path.read_bytes())))
        except (OSError, ValidationError) as error:
            left_out.append(LeftOut(path.name, _reason(path, error)))
    return sorted(_distinct(kept), key=lambda k: (k[1].moment, k[0])), left_out


def _distinct(kept: list[tuple[str, Kept]]) -> Iterator[tuple[str, Kept]]:
    """A run that is reported again, in another language say, is no further point of the trend."""
    seen: set[object] = set()
    for name, report in kept:
        same = report.moment, report.flow, tuple(sorted(s.evaluation for s in report.provenance.scores))
        if same not in seen:
            seen.add(same)
            yield name, report


def _reason(path: Path, error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return t("history.unreadable", reason=error.strerror or type(error).__name__)
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return t("history.damaged")
    found = content.get("schema") if isinstance(content, Mapping) else None
    if found not in READABLE:
        known = ", ".join(map(str, READABLE))
        return t("history.other_schema", found="-" if found is None else found, known=known)
    first = error.errors()[0]
    return t("history.incomplete", where=".".join(map(str, first["loc"])), what=first["msg"])

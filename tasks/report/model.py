"""What a report says, as plain data: the renderers read nothing else, and ``report.json`` is this, dumped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from tasks.catalogue import Language
from tasks.contracts import (
    Arm,
    Audit,
    Check,
    DatasetCounts,
    DatasetRole,
    Failure,
    Finding,
    Frozen,
    Stage,
    Task,
)
from tasks.contracts import Outcome as Decided
from tasks.report.gallery.grid import Grid
from tasks.report.glance import Glance
from tasks.report.lineage import Provenance
from tasks.report.score_table import TaskTable

REPORT_JSON = "report.json"
READABLE = (3, 4)  # schemas; 3 has no keys' slices and no devices in its provenance, and sentences for findings
_SENTENCES = ("audits", "checks", "costs")  # parts that held sentences up to schema 3
Outcome = Decided | Literal["unknown"]


class Verdict(Frozen):
    """What the run found for one task.

    Attributes:
        outcome: of the best translated arm against the baseline, as its interval says; ``unknown`` where one of the
            two is missing, or there is no interval.
        sentence: the finding. notes: how far it can be trusted, and what else there is to know.
        evidence: that of the notes which says what the benchmark's images are worth; empty where each stands alone.
        arm, baseline, oracle: the arms compared; None where there is none.
        delta: points over the baseline, with its 95 % interval low to high where one is known.
        gap_closed: share of the way from baseline to oracle; may be negative. None where the interval does not show
            a difference.
    """

    task: Task
    metric: str
    outcome: Outcome
    sentence: str
    notes: tuple[str, ...] = ()
    evidence: str = ""
    arm: Arm | None = None
    baseline: Arm | None = None
    oracle: Arm | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    gap_closed: float | None = None


class Rejected(Frozen):
    """A file that a reader set aside, and why."""

    file: str
    finding: Finding


class DatasetRow(Frozen):
    """A data set of the run; ``first_rejected`` are the first of its rejected files, ``digest`` is of its content,
    ``counts`` say what became of everything that it was found to have (None: its manifest does not say so)."""

    role: DatasetRole
    dataset: str
    split: str
    images: int
    boxes: dict[str, int]
    rejected: int
    first_rejected: tuple[Rejected, ...]
    key: str
    digest: str
    counts: DatasetCounts | None = None

    @field_validator("first_rejected", mode="before")
    @classmethod
    def _told(cls, rows: Any) -> Any:
        """Schema 3 had sentences for findings; those are left out."""
        return [r for r in rows if not isinstance(r, dict) or "finding" in r]


class TranslatorRow(Frozen):
    """A translator: how it was made, and how fast it is."""

    name: str
    method: str
    iterations: int | None
    parameters: int | None
    train_seconds: float | None
    images: int | None
    images_per_second: float | None


class AuditPart(Frozen):
    """The audit of a translated set.

    Attributes:
        summary: its findings in one sentence. audit: all of them; of the map of domains, some of the points.
    """

    name: str
    summary: str
    audit: Audit


class Cost(Frozen):
    """What an artifact took to build, whenever that was.

    Attributes:
        stage: what it was made by and for. kind, artifact: of the artifact, and its reference (``kind/key``).
        seconds: of building it. images_per_second: where the stage goes through images.
        peak_memory, peak_gpu_memory: bytes that its largest process held at most; None where not measured.
        cached: whether the run that made the report found it finished.
    """

    stage: Stage
    kind: str
    seconds: float
    images_per_second: float | None
    peak_memory: int | None = None
    peak_gpu_memory: int | None = None
    cached: bool = False
    artifact: str


class Gate(Frozen):
    """Something that had to be passed before training.

    Attributes:
        name: ``data``, or the translator's whose audit it is.
        outcome: ``warned`` where checks failed that stop nothing.
        passed, checks: how many checks passed, of how many. acted: images that the audit left out or replaced.
    """

    name: str
    outcome: Literal["passed", "warned", "failed"]
    passed: int
    checks: int
    acted: int = 0


class Broken(Frozen):
    """Something that translation broke, as one sentence.

    Attributes:
        kind: a class's score against the baseline, or a measure of the audit (``flips``, ``detail``, ...).
        subject: the class, or what the check was of. translator: whose doing.
        measured: points lost, or what the check measured, in ``unit``.
    """

    kind: str
    translator: str
    subject: str
    measured: float
    unit: str
    sentence: str


class Report(Frozen):
    """The report of one run.

    Attributes:
        flow: what made the run. command: what repeats it, with ``config.yaml`` holding ``config``.
        config: the resolved configuration of the run; empty where it is not known.
        glance: the translators at a glance; None where there is none, and in reports from before there was one.
        gates: what had to be passed before training. broken: what translation broke, the worst first.
        galleries: the pictures. problems: what could not be read, and so is not in the report.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[4] = Field(default=4, alias="schema")
    language: Language = "en"
    title: str
    name: str
    flow: str = "augment"
    command: str = ""
    config: dict[str, Any] = {}
    finished: datetime
    verdicts: tuple[Verdict, ...]
    glance: Glance | None = None
    gates: tuple[Gate, ...] = ()
    broken: tuple[Broken, ...] = ()
    failures: tuple[Failure, ...]
    problems: tuple[str, ...]
    tables: tuple[TaskTable, ...]
    audits: tuple[AuditPart, ...] = ()
    galleries: tuple[Grid, ...]
    datasets: tuple[DatasetRow, ...]
    checks: tuple[Check, ...] = ()
    translators: tuple[TranslatorRow, ...]
    costs: tuple[Cost, ...]
    total_seconds: float
    provenance: Provenance

    @model_validator(mode="before")
    @classmethod
    def _older(cls, content: Any) -> Any:
        """All that schema 4 has and an older one lacks has a default; sentences that were findings are left out."""
        if isinstance(content, dict) and content.get("schema") in READABLE[:-1]:
            return {**content, **dict.fromkeys(_SENTENCES, ()), "schema": READABLE[-1]}
        return content

    @classmethod
    def read(cls, folder: Path) -> Report:
        """Read the report of an artifact's folder.

        Raises:
            FileNotFoundError, pydantic.ValidationError: there is none, or it is of another version.
        """
        return cls.model_validate_json((folder / REPORT_JSON).read_bytes())

    def to_json(self) -> dict[str, Any]:
        """The content of ``report.json``."""
        return self.model_dump(mode="json", by_alias=True)

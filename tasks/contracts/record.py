"""The record of a run: what was made, as references into the store. Flows write it, the report reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tasks.contracts.arm import Arm
from tasks.contracts.artifact import STORE, Artifact
from tasks.contracts.stage import DatasetRole, Stage
from tasks.contracts.task import Task as Task


class Result(BaseModel):
    """One trained and scored model.

    Attributes:
        arm: what it was trained on.
        model: artifact of kind ``model``: ``card.json`` (network, input size, iterations, batch, seed, initial weights,
            train images), ``curve.json`` (iteration -> loss) and ``checkpoint.pth``.
        evaluation: artifact of kind ``evaluation``: ``scores.json``, predictions and per-image evidence.
        images: part of the arm -> how many of its images have the task's labels and were trained on.
        drawn: part of the arm -> its share of the images that the training drew, from 0 to 1; empty where that was not
            recorded: batches were then drawn from all images alike.
        teacher: of an arm with pseudo-labels: artifact of kind ``model``, which gave them. pseudo_labels: artifact of
            that kind: ``samples.parquet`` and ``pseudo_labels.json``.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    arm: Arm
    seed: int
    model: Artifact
    evaluation: Artifact
    images: dict[Arm, int] = {}
    drawn: dict[Arm, float] = {}
    teacher: Artifact | None = None
    pseudo_labels: Artifact | None = None

    def __hash__(self) -> int:
        return hash((self.task, self.arm, self.seed))  # a dict has no hash, and a run has one result a cell


class Failure(BaseModel):
    """A model that could not be trained or scored, and why."""

    model_config = ConfigDict(frozen=True)

    task: Task
    arm: Arm
    seed: int
    error: str


class RunRecord(BaseModel):
    """Everything one run of the pipeline made.

    Attributes:
        source, target, benchmark: artifacts of kind ``dataset``: ``samples.parquet`` and ``rejected.csv``.
        checks: artifact of kind ``checks``: ``checks.json`` and ``checks.html``.
        translators: name -> artifact of kind ``translator``, for the trained methods.
        translated: name -> artifact of kind ``translated``: ``images/*.png`` and ``samples.parquet``.
        audits: name -> artifact of kind ``audit``: ``audit.json``, of what the translator made.
        comparison: artifact of kind ``comparison``: ``comparison.json``, the arms' scores and differences with
            intervals. None in records from before there was one, and where nothing was scored.
        flow: what made it: the whole chain, or a re-evaluation of the models of an earlier run.
        results: the arms that finished, in the order of the configuration.
        failures: the arms that did not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    flow: Literal["augment", "reevaluate"] = "augment"
    source: Artifact
    target: Artifact
    benchmark: Artifact
    checks: Artifact | None = None
    translators: dict[str, Artifact]
    translated: dict[str, Artifact]
    audits: dict[str, Artifact] = {}
    comparison: Artifact | None = None
    results: tuple[Result, ...]
    failures: tuple[Failure, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The record as it is kept: an artifact's path is from its store, wherever that lies."""
        return self.model_dump(mode="json", context={STORE: None})

    @classmethod
    def from_json(cls, text: bytes, store: Path) -> RunRecord:
        """Read a record that was kept; ``store`` is the folder of its artifacts today."""
        return cls.model_validate_json(text, context={STORE: store})

    def artifacts(self) -> dict[Stage, Artifact]:
        """Every artifact of the run by the stage that made it, in the order of the stages."""
        sets: dict[DatasetRole, Artifact] = {"source": self.source, "target": self.target, "benchmark": self.benchmark}
        found = {Stage(kind="dataset", role=role): a for role, a in sets.items()}
        if self.checks is not None:
            found[Stage(kind="checks")] = self.checks
        found |= {Stage(kind="train", translator=name): a for name, a in self.translators.items()}
        found |= {Stage(kind="translate", translator=name): a for name, a in self.translated.items()}
        found |= {Stage(kind="audit", translator=name): a for name, a in self.audits.items()}
        for r in self.results:
            if r.teacher is not None and r.pseudo_labels is not None:
                found[Stage(kind="retrain", task=r.task, arm=r.arm.teacher, seed=r.seed)] = r.teacher
                found[Stage(kind="label", task=r.task, arm=r.arm.teacher, seed=r.seed)] = r.pseudo_labels
            found[Stage(kind="retrain", task=r.task, arm=r.arm, seed=r.seed)] = r.model
            found[Stage(kind="evaluate", task=r.task, arm=r.arm, seed=r.seed)] = r.evaluation
        if self.comparison is not None:
            found[Stage(kind="compare")] = self.comparison
        return found

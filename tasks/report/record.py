"""The record of a run: what was made, as references into the store. Flows write it, the report reads it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tasks.retrain.config import Task as Task
from tasks.store import Artifact


class Result(BaseModel):
    """One trained and scored model.

    Attributes:
        arm: what it was trained on: ``real``, ``source``, ``translated(NAME)``, ``real+source`` or
            ``real+translated(NAME)``, where NAME is the translator's.
        model: artifact of kind ``model``: ``card.json`` (network, input size, iterations, batch, seed, initial weights,
            train images), ``curve.json`` (iteration -> loss) and ``checkpoint.pth``.
        evaluation: artifact of kind ``evaluation``: ``scores.json``, predictions and per-image evidence.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    arm: str
    seed: int
    model: Artifact
    evaluation: Artifact


class Failure(BaseModel):
    """A model that could not be trained or scored, and why."""

    model_config = ConfigDict(frozen=True)

    task: Task
    arm: str
    seed: int
    error: str


class RunRecord(BaseModel):
    """Everything one run of the pipeline made.

    Attributes:
        source, target, benchmark: artifacts of kind ``dataset``: ``samples.parquet`` and ``rejected.csv``.
        checks: artifact of kind ``checks``: ``checks.json`` and ``checks.html``.
        translators: name -> artifact of kind ``translator``, for the trained methods.
        translated: name -> artifact of kind ``translated``: ``images/*.png`` and ``samples.parquet``.
        results: the arms that finished, in the order of the configuration.
        failures: the arms that did not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    source: Artifact
    target: Artifact
    benchmark: Artifact
    checks: Artifact | None = None
    translators: dict[str, Artifact]
    translated: dict[str, Artifact]
    results: tuple[Result, ...]
    failures: tuple[Failure, ...] = ()

    def artifacts(self) -> dict[str, Artifact]:
        """Every artifact of the run by a name that says its role: the report's inputs and the table of stages."""
        named = {"dataset source": self.source, "dataset target": self.target, "dataset benchmark": self.benchmark}
        if self.checks is not None:
            named["check data sets"] = self.checks
        named |= {f"train translator {name}": a for name, a in self.translators.items()}
        named |= {f"translate {name}": a for name, a in self.translated.items()}
        for r in self.results:
            named[f"retrain {r.task} {r.arm} seed {r.seed}"] = r.model
            named[f"evaluate {r.task} {r.arm} seed {r.seed}"] = r.evaluation
        return named

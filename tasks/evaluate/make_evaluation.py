"""The ``evaluation`` artifact: one model, scored on a benchmark in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tasks.compute import Machine
from tasks.contracts import Artifact, Scores, Task
from tasks.datasets import SampleTable
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.counted import left_out_of
from tasks.evaluate.job import EvaluateJob
from tasks.retrain import CHECKPOINT
from tasks.store import Manifest, Recipe, Store, code_version, write_json

_SHOWN = re.compile(r"^error|^scored")


def build_evaluation(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    benchmark: Artifact,
    config: EvaluateConfig,
    store: Store,
    machine: Machine,
    trained_on: tuple[Artifact, ...] = (),
    occasion: str | None = None,
) -> Artifact:
    """Return the ``evaluation`` artifact of a model: ``scores.json``, predictions, and per-image evidence.

    Args:
        kind, arm, seed: the result that this belongs to; arm and seed only name it.
        model: artifact of kind ``model``.
        benchmark: artifact of kind ``dataset``.
        config: the section of the configuration.
        store: where predictions and scores are kept.
        machine: what inference runs on.
        trained_on: the data sets of the comparison's training sides, which ``classes: shared`` looks at.
        occasion: something that makes this evaluation a new one even if the same model was scored on the same
            images before, such as the night's date.

    Raises:
        ProcessError: inference failed; the message holds the end of its log.
        StoreError: the model's weights are not what they were.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """
    left_out = classes_left_out(kind, config, trained_on)

    def make(work: Path) -> dict[str, Any]:
        Manifest.read(model.path).checked(model.path, CHECKPOINT)
        with machine.lease() as lease:
            job = EvaluateJob(
                task=kind,
                model=model.path,
                table=benchmark.path,
                work=work,
                batch=config.batch,
                device=lease.device,
                precision=config.precision,
                left_out=left_out,
            )
            write_json(work / "job.json", job.model_dump(mode="json"))
            machine.run(lease, "tasks.evaluate.worker", work / "job.json", f"{kind} {arm} seed {seed}", _SHOWN)
        scores = Scores.read(work)
        made = {"device": lease.device, "precision": scores.precision}
        return {"task": kind, "images": scores.images, **made, **scores.metrics}

    return store.build(evaluation_recipe(kind, model, benchmark, config, left_out, occasion), make)


def evaluation_recipe(
    kind: Task,
    model: Artifact,
    benchmark: Artifact,
    config: EvaluateConfig,
    left_out: tuple[str, ...] = (),
    occasion: str | None = None,
) -> Recipe:
    """What an ``evaluation`` artifact is made from: see ``build_evaluation``, and ``classes_left_out``."""
    return Recipe(
        "evaluation",
        config={"task": kind, "occasion": occasion, "left_out": left_out, "precision": config.precision},
        inputs={"model": model, "benchmark": benchmark},
        code=code_version(__name__),
    )


def classes_left_out(kind: Task, config: EvaluateConfig, trained_on: tuple[Artifact, ...]) -> tuple[str, ...]:
    """The classes that do not count in the means; ``trained_on``: the data sets of the training sides."""
    if config.classes == "benchmark":
        return ()
    return left_out_of(kind, config, [SampleTable.read(a.path).info for a in trained_on])

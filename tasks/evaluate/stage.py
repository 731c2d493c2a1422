"""The evaluate stage as a Prefect task."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.job import EvaluateJob
from tasks.retrain.config import RetrainConfig, Task
from tasks.retrain.stage import resolve_device, run_mm_worker
from tasks.store import Artifact, Store, code_version, write_json

_CODE = ("tasks.evaluate.worker", "tasks.evaluate.segmentation", "tasks.evaluate.detection", "tasks.retrain.data")


@task(name="evaluate", task_run_name="evaluate-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def evaluate_model(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    benchmark: Artifact,
    config: EvaluateConfig,
    retrain: RetrainConfig,
    store: Store,
    trained_on: tuple[Artifact, ...] = (),
    occasion: str | None = None,
) -> Artifact:
    """Score one model on the benchmark; returns an artifact of kind ``evaluation``.

    Args:
        kind, arm, seed: the result that this belongs to; arm and seed only name it.
        model: artifact of kind ``model``.
        benchmark: artifact of kind ``dataset``.
        config: the section of the configuration.
        retrain: for the device and how many models are worked on at a time.
        store: where predictions and scores are kept.
        trained_on: the data sets of the comparison's training sides, which ``classes: shared`` looks at.
        occasion: something that makes this evaluation a new one even if the same model was scored on the same
            images before, such as the night's date.

    Raises:
        ProcessError: inference failed; the message holds the end of its log.
    """
    device = resolve_device(retrain.device)
    left_out = classes_left_out(kind, config, trained_on)
    threads = max(1, (os.cpu_count() or 1) // retrain.workers)

    def make(work: Path) -> dict[str, Any]:
        job = EvaluateJob(
            task=kind,
            model=model.path,
            table=benchmark.path,
            work=work,
            batch=config.batch,
            threads=threads,
            device=device,
            left_out=left_out,
        )
        write_json(work / "job.json", job.model_dump(mode="json"))
        run_mm_worker("tasks.evaluate.worker", work / "job.json", f"{kind} {arm} seed {seed}", threads, device)
        scores = json.loads((work / "scores.json").read_text())
        return {"task": kind, "images": scores["images"], "device": device, **scores["metrics"]}

    return store.build(
        "evaluation",
        config={"task": kind, "occasion": occasion, "left_out": left_out},
        inputs={"model": model, "benchmark": benchmark},
        code=code_version(*_CODE),
        make=make,
    )


def classes_left_out(kind: Task, config: EvaluateConfig, trained_on: tuple[Artifact, ...]) -> tuple[str, ...]:
    """The classes that do not count in the means: those that some side's labels cannot have, where only shared ones do.

    Raises:
        ValueError: no class is left.
    """
    if config.classes == "benchmark":
        return ()
    from tasks.datasets.table import SampleTable

    infos = [SampleTable.read(a.path).info for a in trained_on]
    left_out = sorted({name for i in infos for name in (i.impossible_boxes if kind == "detection" else i.impossible)})
    if infos and len(left_out) == len(infos[0].detection if kind == "detection" else infos[0].classes):
        raise ValueError(f"evaluate.classes: shared leaves no class of {kind}: each is missing from one of the sets")
    return tuple(left_out)

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
        occasion: something that makes this evaluation a new one even if the same model was scored on the same
            images before, such as the night's date.

    Raises:
        ProcessError: inference failed; the message holds the end of its log.
    """
    device = resolve_device(retrain.device)
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
        )
        write_json(work / "job.json", job.model_dump(mode="json"))
        run_mm_worker("tasks.evaluate.worker", work / "job.json", f"{kind} {arm} seed {seed}", threads, device)
        scores = json.loads((work / "scores.json").read_text())
        return {"task": kind, "images": scores["images"], "device": device, **scores["metrics"]}

    return store.build(
        "evaluation",
        config={"task": kind, "occasion": occasion},
        inputs={"model": model, "benchmark": benchmark},
        code=code_version(*_CODE),
        make=make,
    )

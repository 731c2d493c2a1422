"""The retrain stage as Prefect tasks."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.process import run_worker
from tasks.retrain.config import RetrainConfig, Task, TrainingConfig
from tasks.retrain.job import TrainJob
from tasks.store import Artifact, Store, code_version, file_sha256, write_json

_CODE = ("tasks.retrain.build", "tasks.retrain.data", "tasks.retrain.checkpoints", "tasks.retrain.worker")
_PROGRESS = re.compile(r"Iter\(train\)|^resuming|^error|^scored")


@task(name="retrain", task_run_name="retrain-{kind}-{arm}-seed{seed}", cache_policy=NO_CACHE)
def train_model(
    kind: Task, arm: str, seed: int, sets: tuple[Artifact, ...], config: RetrainConfig, store: Store
) -> Artifact:
    """Train one model; returns an artifact of kind ``model``.

    Args:
        kind: the task.
        arm: the arm's name, for the log alone: two arms of the same images are one model.
        sets: artifacts that hold the sample tables it is trained on.
        config: the section of the configuration.
        store: where the model is kept.

    Raises:
        ProcessError: the training failed; the message holds the end of its log.
    """
    training = config.tasks()[kind]
    device = resolve_device(config.device)
    threads = max(1, (os.cpu_count() or 1) // config.workers)

    def make(work: Path) -> dict[str, Any]:
        job = TrainJob(
            task=kind,
            training=training,
            tables=tuple(a.path for a in sets),
            seed=seed,
            work=work,
            threads=threads,
            loaders=config.loaders,
            device=device,
        )
        write_json(work / "job.json", job.model_dump(mode="json"))
        run_mm_worker("tasks.retrain.worker", work / "job.json", f"{kind} {arm} seed {seed}", threads, device)
        return {"task": kind, "seed": seed, "iterations": training.iterations, "device": device}

    return store.build(
        "model",
        config={"task": kind, "training": key_of(training), "seed": seed},
        inputs={f"images{i}": a for i, a in enumerate(sets)},
        code=code_version(*_CODE),
        make=make,
        resumable=True,
    )


def key_of(training: TrainingConfig) -> dict[str, Any]:
    """What of a training's section decides its result: the mmengine file by content, weights by their SHA-256."""
    fields = training.model_dump(mode="json", exclude={"config", "init", "checkpoint_every", "log_every"})
    config = file_sha256(training.config) if training.config.is_file() else None
    return {**fields, "config": [training.config.name, config], "init": training.init and training.init.sha256}


def run_mm_worker(module: str, job: Path, label: str, threads: int, device: str) -> None:
    """Run a worker that uses OpenMMLab's packages; its iterations and scores go to the log.

    Raises:
        ProcessError: it failed; the message holds the end of its output.
    """
    environment = {"OMP_NUM_THREADS": str(threads)}
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    run_worker(module, job, label, _PROGRESS, environment)


def resolve_device(device: str) -> str:
    """``auto`` becomes ``cuda`` where there is a GPU, without importing torch where there plainly is none."""
    if device != "auto":
        return device
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"

"""The retrain stage as Prefect tasks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import get_client, task
from prefect.cache_policies import NO_CACHE
from prefect.concurrency.sync import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound

from tasks.process import run_worker
from tasks.retrain import gpus
from tasks.retrain.config import RetrainConfig, Task, TrainingConfig
from tasks.retrain.job import TrainJob
from tasks.store import Artifact, Store, code_version, file_sha256, write_json

_CODE = ("tasks.retrain.build", "tasks.retrain.data", "tasks.retrain.checkpoints", "tasks.retrain.worker")
GPU_LIMIT = "sim2real-gpu"
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
        label = f"{kind} {arm} seed {seed}"
        run_mm_worker("tasks.retrain.worker", work / "job.json", label, threads, device, config.gpus)
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


def run_mm_worker(module: str, job: Path, label: str, threads: int, device: str, limit: int = 0) -> None:
    """Run a worker that uses OpenMMLab's packages; its iterations and scores go to the log.

    On ``cuda`` it waits for a GPU that no other worker of this store holds, and sees that one alone.

    Args:
        module: a module of this repository that calls ``die_with_parent()`` first thing.
        job: the file that tells it what to do, in the work folder of an artifact that the store is building.
        label: what its lines in the log begin with.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
        limit: GPUs of this machine that may be used; 0 for all.

    Raises:
        ProcessError: it failed; the message holds the end of its output.
        GpuError: this machine has not so many GPUs.
    """
    with _visible(device, limit, job) as visible:
        environment = {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": visible}
        run_worker(module, job, label, _PROGRESS, environment)


@contextmanager
def _visible(device: str, limit: int, job: Path) -> Iterator[str]:
    """What CUDA shall show to a worker: nothing, or the one GPU that is held for it."""
    if device == "cpu":
        yield ""
        return
    locks = job.parents[2] / gpus.FOLDER  # <store>/<kind>/<work folder>/<job>
    # The GPU first: a slot that waits for one would keep other machines from theirs.
    with gpus.held(gpus.usable(limit), locks) as name, _slot():
        yield name


@contextmanager
def _slot() -> Iterator[None]:
    """A slot of Prefect's global concurrency limit ``sim2real-gpu`` over all machines, where the server has one."""
    if TaskRunContext.get() is None or not _has_limit():
        yield
        return
    with concurrency(GPU_LIMIT):
        yield


def _has_limit() -> bool:
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(GPU_LIMIT)
        except ObjectNotFound:
            return False
    return True


def resolve_device(device: str) -> str:
    """``auto`` becomes ``cuda`` where there is a GPU, without importing torch where there plainly is none."""
    if device != "auto":
        return device
    if not any(Path("/dev").glob("nvidia[0-9]*")):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"

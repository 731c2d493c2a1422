"""The ``model`` artifact: one training, in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.compute import resolve_device
from tasks.contracts import Artifact, Task
from tasks.retrain.config import RetrainConfig, TrainingConfig
from tasks.retrain.configuration import resolved
from tasks.retrain.job import TrainJob
from tasks.store import Recipe, Store, code_version, content_digest, write_json

Run = Callable[[str, Path, str, int, str, int], None]


def build_model(
    kind: Task, arm: str, seed: int, sets: tuple[Artifact, ...], config: RetrainConfig, store: Store, run: Run
) -> Artifact:
    """Return the ``model`` artifact of a training: ``checkpoint.pth``, ``config.py``, ``card.json``, ``curve.json``.

    Args:
        kind: the task.
        arm: the arm's name, for the log alone: two arms of the same images are one model.
        seed: of all random numbers.
        sets: artifacts that hold the sample tables it is trained on.
        config: the section of the configuration.
        store: where the model is kept.
        run: runs the worker: its module, job file, label, threads, device, and how many GPUs may be used.

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
        run("tasks.retrain.worker", work / "job.json", label, threads, device, config.gpus)
        return {"task": kind, "seed": seed, "iterations": training.iterations, "device": device}

    return store.build(model_recipe(kind, seed, sets, config), make, resumable=True)


def model_recipe(kind: Task, seed: int, sets: tuple[Artifact, ...], config: RetrainConfig) -> Recipe:
    """What a ``model`` artifact is made from; the arguments are those of ``build_model``."""
    return Recipe(
        "model",
        config={"task": kind, "training": key_of(config.tasks()[kind]), "seed": seed},
        inputs={f"images{i}": a for i, a in enumerate(sets)},
        code=code_version(__name__),
    )


def key_of(training: TrainingConfig) -> dict[str, Any]:
    """What of a training's section decides its result: the network as resolved, initial weights by their SHA-256.

    Raises:
        TrainingError: the network's file is missing or no configuration.
    """
    fields = training.model_dump(mode="json", exclude={"config", "overrides", "init", "checkpoint_every", "log_every"})
    network = [training.config.name, content_digest(resolved(training))]
    return {**fields, "config": network, "init": training.init and training.init.sha256}

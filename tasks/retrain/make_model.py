"""The ``model`` artifact: one training, in a process of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tasks.compute import Machine, device_kind
from tasks.contracts import Artifact, Drawing, Task
from tasks.retrain.config import RetrainConfig, TrainingConfig, Weights
from tasks.retrain.configuration import resolved
from tasks.retrain.job import TrainJob
from tasks.store import Recipe, Store, code_version, content_digest, write_json
from tasks.translate import IMAGENET_SHA256

_SHOWN = re.compile(r"Iter\(train\)|^resuming|^error")


def build_model(
    kind: Task,
    arm: str,
    seed: int,
    sets: tuple[Artifact, ...],
    config: RetrainConfig,
    store: Store,
    machine: Machine,
    drawing: Drawing | None = None,
) -> Artifact:
    """Return the ``model`` artifact of a training: ``checkpoint.pth``, ``config.py``, ``card.json``, ``curve.json``.

    Args:
        kind: the task.
        arm: the arm's name, for the log alone: two arms of the same images are one model.
        seed: of all random numbers.
        sets: artifacts that hold the sample tables it is trained on.
        config: the section of the configuration.
        store: where the model is kept.
        machine: what it is trained on.
        drawing: how it draws from the sets; all of their images alike where not given.

    Raises:
        ProcessError: the training failed; the message holds the end of its log.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """
    training = config.tasks()[kind]
    drawing = drawing or Drawing.alike(len(sets))

    def make(work: Path) -> dict[str, Any]:
        with machine.lease() as lease:
            job = TrainJob(
                task=kind,
                training=training,
                tables=tuple(a.path for a in sets),
                drawing=drawing,
                seed=seed,
                work=work,
                loaders=machine.config.loaders,
                patience=(machine.config.stalled_after or 0) / 2,  # so that it is told before a stall is
                device=lease.device,
            )
            write_json(work / "job.json", job.model_dump(mode="json"))
            machine.run(lease, "tasks.retrain.worker", work / "job.json", f"{kind} {arm} seed {seed}", _SHOWN)
        device = device_kind(json.loads((work / "card.json").read_text())["device"])
        return {"task": kind, "seed": seed, "iterations": training.iterations, "device": device}

    return store.build(model_recipe(kind, seed, sets, config, drawing), make, resumable=True)


def model_recipe(
    kind: Task, seed: int, sets: tuple[Artifact, ...], config: RetrainConfig, drawing: Drawing | None = None
) -> Recipe:
    """What a ``model`` artifact is made from; the arguments are those of ``build_model``."""
    how = (drawing or Drawing.alike(len(sets))).model_dump(mode="json")
    return Recipe(
        "model",
        config={"task": kind, "training": key_of(config.tasks()[kind]), "seed": seed, "drawing": how},
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
    init = training.init.sha256 if isinstance(training.init, Weights) else training.init and IMAGENET_SHA256
    return {**fields, "config": network, "init": init}

"""The ``pseudo_labels`` artifact: images with what a model says of them as their labels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tasks.compute import LOG, Machine
from tasks.contracts import Artifact, PseudoLabels, Task
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.job import LabelJob
from tasks.retrain import CHECKPOINT, SelfTrainingConfig
from tasks.store import Manifest, Recipe, Store, code_version, write_json

_SHOWN = re.compile(r"^error|^labelled")
_USED = {"segmentation": {"portion", "sure"}, "detection": {"score"}}  # settings by task


def build_pseudo_labels(
    kind: Task,
    arm: str,
    seed: int,
    model: Artifact,
    images: Artifact,
    config: SelfTrainingConfig,
    evaluate: EvaluateConfig,
    store: Store,
    machine: Machine,
) -> Artifact:
    """Return the ``pseudo_labels`` artifact of a model: ``samples.parquet``, ``pseudo_labels.json`` and masks.

    Args:
        kind, arm, seed: of the model; arm and seed only name it.
        model: artifact of kind ``model``, the teacher.
        images: artifact of kind ``dataset``, whose labels are not looked at.
        config: what of the predictions is believed.
        evaluate: how inference is run.
        store: where the labels are kept.
        machine: what inference runs on.

    Raises:
        ProcessError: inference failed, or no image would have a label; the message holds the end of its log.
        StoreError: the model's weights are not what they were.
        GpuError: this machine has not the GPUs that the configuration asks for.
    """

    def make(work: Path) -> dict[str, Any]:
        Manifest.read(model.path).checked(model.path, CHECKPOINT)
        with machine.lease() as lease:
            places = {"model": model.path, "table": images.path, "work": work}
            how = {"batch": evaluate.batch, "device": lease.device, "precision": evaluate.precision}
            job = LabelJob(task=kind, settings=config, **how, **places)
            write_json(work / "job.json", job.model_dump(mode="json"))
            label = f"pseudo-labels {kind} {arm} seed {seed}"
            machine.run(lease, "tasks.evaluate.label_worker", work / "job.json", label, _SHOWN)
        for name in ("job.json", LOG):
            (work / name).unlink(missing_ok=True)
        told = PseudoLabels.read(work)
        return {"task": kind, "images": told.images, "labelled": told.labelled, "device": lease.device}

    return store.build(pseudo_labels_recipe(kind, model, images, config, evaluate), make)


def pseudo_labels_recipe(
    kind: Task, model: Artifact, images: Artifact, config: SelfTrainingConfig, evaluate: EvaluateConfig
) -> Recipe:
    """What a ``pseudo_labels`` artifact is made from; the arguments are those of ``build_pseudo_labels``."""
    return Recipe(
        "pseudo_labels",
        config={"task": kind, "precision": evaluate.precision, **config.model_dump(include=_USED[kind])},
        inputs={"model": model, "images": images},
        code=code_version(__name__),
    )

"""What a process is told that runs a trained model on images."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.contracts import Task
from tasks.retrain import SelfTrainingConfig


class InferenceJob(BaseModel):
    """A model, and the images that it is run on.

    Attributes:
        model: folder of the ``model`` artifact.
        table: folder of the images' sample table.
        work: where what is made goes.
        batch: images in a batch.
        device: ``cpu`` or ``cuda``.
        precision: see ``resolve_precision``.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    model: Path
    table: Path
    work: Path
    batch: int
    device: str
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


class EvaluateJob(InferenceJob):
    """One evaluation; ``left_out``: classes that do not count in the means."""

    left_out: tuple[str, ...] = ()


class LabelJob(InferenceJob):
    """One labelling of images; ``settings``: what of the predictions is believed."""

    settings: SelfTrainingConfig

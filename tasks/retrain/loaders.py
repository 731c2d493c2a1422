"""A training's data-loading processes: what shared memory they need, and what it means when they fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

from tasks.compute import shared_memory_free, shared_memory_needed
from tasks.contracts import Task
from tasks.retrain.job import TrainJob
from tasks.retrain.suitable import TrainingError

# Bytes a pixel that a loader passes: an image of three uint8, and what mmseg makes of a label, an int64.
_PIXEL: dict[Task, int] = {"detection": 3, "segmentation": 3 + 8}


def image_bytes(task: Task, network: Mapping[str, Any], input_size: tuple[int, int] | None = None) -> int:
    """The size of one image with its label as a loader passes it.

    Args:
        task: the task.
        network: the mmengine configuration.
        input_size: width and height in place of its own.
    """
    crops = [step["crop_size"] for step in network["train_pipeline"] if "crop_size" in step]
    return prod(crops[-1] if crops else input_size or network["input_size"]) * _PIXEL[task]


def check_shared_memory(job: TrainJob, network: Mapping[str, Any]) -> None:
    """Refuse a training whose loaders would die of too little shared memory, some time after it began.

    Raises:
        TrainingError: there is less than their batches need.
    """
    needed = shared_memory_needed(job.loaders, job.training.batch, image_bytes(job.task, network))
    free = shared_memory_free()
    if free is not None and free < needed:
        raise TrainingError(
            f"compute.loaders: batches of {job.loaders} loaders need {needed / 1e6:.0f} MB of shared memory, and "
            f"/dev/shm has {free / 1e6:.0f} MB free: give it more (docker run --shm-size=2g), or take fewer loaders"
        )


@contextmanager
def loaders_explained(job: TrainJob) -> Iterator[None]:
    """Say of a loader that died or gave nothing in time what that means.

    Raises:
        TrainingError: in place of PyTorch's error.
    """
    try:
        yield
    except RuntimeError as error:
        if not (said := str(error)).startswith("DataLoader "):
            raise
        advice = "check that the disk answers, or raise compute.stalled_after, half of which a batch may take"
        if "timed out" not in said:
            advice = "it lacked memory, of its own or in /dev/shm (docker run --shm-size=2g): take fewer loaders"
        raise TrainingError(f"compute.loaders: {said.splitlines()[0].partition('. ')[0]}; {advice}") from error

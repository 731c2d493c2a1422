"""What an evaluation measured."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task


class ClassScore(Frozen):
    """A class's scores, fractions from 0 to 1; None where the benchmark has none of it, or the task no such score.

    Attributes:
        IoU, accuracy: of segmentation: intersection over union, and the share of its pixels that were found.
        AP, AP50: of detection: COCO's average precision over IoU 0.50:0.95, and at 0.50.
        boxes: of detection: how many of it the benchmark holds, crowds not counted.
    """

    name: str
    IoU: float | None = None
    accuracy: float | None = None
    AP: float | None = None
    AP50: float | None = None
    boxes: int | None = None


class Scores(Filed):
    """The scores of one model on one set of images; the room ``evaluate`` writes them.

    Attributes:
        task: None in a file that does not say.
        images: how many have the task's labels and were scored.
        metrics: over the classes that count, by name, as fractions from 0 to 1: ``mIoU``, ``pixel_accuracy`` and
            ``mean_accuracy``, or ``mAP``, ``AP50`` and ``AP75``; None where the set has nothing to score.
        classes: of each class, in the taxonomy's order.
        left_out: classes that have scores of their own, but do not count in the means.
        precision: what the network computed in; None in a file that does not say.
    """

    FILE: ClassVar[str] = "scores.json"

    task: Task | None = None
    images: int
    metrics: dict[str, float | None]
    classes: tuple[ClassScore, ...]
    left_out: tuple[str, ...] = ()
    precision: Literal["float32", "bfloat16"] | None = None

    def content(self) -> Any:
        """What the file holds: of each class, the scores of its task alone."""
        return self.model_dump(mode="json", exclude_unset=True)

"""What became labels of what a model said of images."""

from __future__ import annotations

from typing import ClassVar

from tasks.contracts.filed import Filed
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task


class PseudoClass(Frozen):
    """A class of pseudo-labels.

    Attributes:
        threshold: the confidence from which predictions of it were kept, from 0 to 1; None where there was none.
        predicted, kept: how many pixels, or boxes, the model said to be of it, and how many of them became labels.
    """

    name: str
    threshold: float | None
    predicted: int
    kept: int


class PseudoLabels(Filed):
    """What a model labelled; the room ``evaluate`` writes it beside the table.

    Attributes:
        images: how many it was shown. labelled: how many of them have labels now.
    """

    FILE: ClassVar[str] = "pseudo_labels.json"

    task: Task
    images: int
    labelled: int
    classes: tuple[PseudoClass, ...]

"""What is trained and scored: the two tasks, and the labels that each needs."""

from typing import Literal

Labels = Literal["masks", "boxes"]
Task = Literal["detection", "segmentation"]
LABELS: dict[Task, Labels] = {"detection": "boxes", "segmentation": "masks"}

"""What is trained and scored: the two tasks, with all that is said of a task in one place."""

from dataclasses import dataclass
from typing import Literal

Labels = Literal["masks", "boxes"]
Task = Literal["detection", "segmentation"]


@dataclass(frozen=True)
class TaskDescription:
    """A task.

    Attributes:
        name: as it stands in YAML and JSON.
        labels: what images must have to be trained and scored on.
        metrics: over all classes, by their names in ``scores.json``; the first is the one that verdicts are about.
        class_metric: of one class, as above.
        package: OpenMMLab's package that has its networks.
    """

    name: Task
    labels: Labels
    metrics: tuple[str, ...]
    class_metric: str
    package: str


TASKS: dict[Task, TaskDescription] = {
    task.name: task
    for task in (
        TaskDescription("detection", "boxes", metrics=("mAP", "AP50"), class_metric="AP", package="mmdet"),
        TaskDescription("segmentation", "masks", metrics=("mIoU",), class_metric="IoU", package="mmseg"),
    )
}

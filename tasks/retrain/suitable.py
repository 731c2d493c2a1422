"""Whether a data set has what a task is trained or scored on, and how a training that cannot be is refused."""

from __future__ import annotations

from tasks.contracts import TASKS, Task
from tasks.datasets import SampleTable


class TrainingError(Exception):
    """A training that cannot start as it is configured; the message says which setting or file is wrong."""


def check_images(task: Task, table: SampleTable) -> None:
    """Refuse a table that a task cannot be trained or scored on.

    Raises:
        TrainingError: it is empty, or has no labels of the task.
    """
    what = TASKS[task].labels
    labelled = table.info.has_boxes if task == "detection" else table.info.encoding is not None
    if not len(table):
        raise TrainingError(f"data set {table.info.dataset!r} ({table.folder}) has no images")
    if not labelled or not len(table.labelled(what)):
        raise TrainingError(f"{task} needs {what}, but data set {table.info.dataset!r} has none")

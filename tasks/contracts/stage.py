"""The stages of a run: what each of its artifacts was made by and for."""

from __future__ import annotations

from typing import Literal

from tasks.contracts.arm import Arm
from tasks.contracts.frozen import Frozen
from tasks.contracts.task import Task

DatasetRole = Literal["source", "target", "benchmark"]
StageKind = Literal[
    "dataset", "checks", "train", "translate", "audit", "retrain", "label", "evaluate", "compare", "report"
]
_PRINTED: dict[StageKind, str] = {
    "dataset": "dataset {0.role}",
    "checks": "check data sets",
    "train": "train translator {0.translator}",
    "translate": "translate {0.translator}",
    "audit": "audit {0.translator}",
    "retrain": "retrain {0.task} {0.arm} seed {0.seed}",
    "label": "pseudo-labels {0.task} {0.arm} seed {0.seed}",
    "evaluate": "evaluate {0.task} {0.arm} seed {0.seed}",
    "compare": "compare arms",
    "report": "report",
}


class Stage(Frozen):
    """A stage of a run; ``str`` prints it as files name it, such as ``retrain detection real seed 0``.

    Attributes:
        role: of a data set. translator: whose training, translation or audit.
        task, arm, seed: of a model; of pseudo-labels, those of the model that gave them.
    """

    kind: StageKind
    role: DatasetRole | None = None
    translator: str | None = None
    task: Task | None = None
    arm: Arm | None = None
    seed: int | None = None

    def __str__(self) -> str:
        return _PRINTED[self.kind].format(self)

"""What a training process is told: everything it needs, and nothing that it does not."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tasks.contracts import Drawing, Task
from tasks.retrain.config import TrainingConfig


class TrainJob(BaseModel):
    """One training.

    Attributes:
        training: the task's section of the configuration.
        tables: the folders of the sample tables that it trains on, together.
        drawing: how it draws from them; all of their images alike where not given.
        work: where checkpoints and logs go; a crashed training resumes from there.
        loaders: data-loading processes.
        patience: seconds that they may take for a batch; 0: any time.
        device: ``cpu`` or ``cuda``.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    training: TrainingConfig
    tables: tuple[Path, ...]
    drawing: Drawing = Field(default_factory=lambda given: Drawing.alike(len(given["tables"])))
    seed: int
    work: Path
    loaders: int
    patience: float = 0
    device: str

"""What an evaluation process is told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tasks.contracts import Task


class EvaluateJob(BaseModel):
    """One evaluation.

    Attributes:
        model: folder of the ``model`` artifact.
        table: folder of the benchmark's sample table.
        work: where predictions and scores go.
        precision: see ``resolve_precision``.
        left_out: classes that do not count in the means.
    """

    model_config = ConfigDict(frozen=True)

    task: Task
    model: Path
    table: Path
    work: Path
    batch: int
    device: str
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    left_out: tuple[str, ...] = ()

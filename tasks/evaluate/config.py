"""The ``evaluate`` section: how trained models are run on the real benchmark."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.store import Section


class EvaluateConfig(Section):
    """Inference on the benchmark. What is scored, and how, is fixed: COCO's AP and the mean IoU."""

    classes: Literal["benchmark", "shared"] = Field(
        "benchmark",
        description="The classes that mIoU and mAP are the mean of. benchmark: all that the benchmark has; shared: of "
        "these, only those that source and target can have as well, for a simulator that does not tell some apart.",
    )
    batch: int = Field(4, ge=1, description="Images in a batch of inference; must be 1 where image sizes differ.")

"""The ``evaluate`` section: how trained models are run on the real benchmark."""

from __future__ import annotations

from pydantic import Field

from tasks.store import Section


class EvaluateConfig(Section):
    """Inference on the benchmark. What is scored, and how, is fixed: COCO's AP and the mean IoU."""

    batch: int = Field(4, ge=1, description="Images in a batch of inference; must be 1 where image sizes differ.")

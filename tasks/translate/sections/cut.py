"""The section of CUT and FastCUT."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from tasks.translate.sections.base import Name
from tasks.translate.sections.contrastive import Contrastive


class Cut(Contrastive):
    """CUT and FastCUT (Park et al., ECCV 2020): contrastive unpaired translation with one generator.

    FastCUT's learning rate falls over the last quarter of the steps unless ``training.decay`` says otherwise.
    """

    method: Literal["cut"]
    name: Name = "cut"
    fast: bool = Field(False, description="FastCUT: NCE weight 10, no identity term, flip equivariance, decay 0.25.")

    @model_validator(mode="before")
    @classmethod
    def _fast_decays_later(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("fast") and isinstance(training := values.get("training"), dict):
            return {**values, "training": {"decay": 0.25, **training}}
        return values


section = Cut

"""The section of DECENT."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.adversarial import Adversarial
from tasks.translate.sections.base import Name
from tasks.translate.sections.learned import check_layers


class DensityChange(Section):
    """DECENT's term: the variance, over patches, of how much translation changes a patch's log density.

    As published but for one thing: the flows' moving average has a short memory at first, where theirs starts at 0.
    """

    weight: float = Field(0.01, ge=0)
    layers: tuple[int, ...] = Field((0, 4, 8, 12, 16), min_length=1, description="As in nce.layers.")
    patches: int = Field(256, ge=2, description="Locations drawn from each layer.")
    width: int = Field(10, ge=1, description="Hidden units for each dimension of a flow.")
    residual: bool = Field(False, description="A gated residual connection round the flow's block; published: none.")
    lr: float = Field(1e-3, gt=0, description="Learning rate of the flows.")
    clip: float = Field(0.1, gt=0, description="Largest norm of the flows' gradient.")
    ema: float = Field(0.998, ge=0, lt=1, description="Decay of the flows' moving average, which judges.")

    @model_validator(mode="after")
    def _layers_increase(self) -> Self:
        if tuple(sorted(set(self.layers))) != self.layers:
            raise ValueError(f"layers {list(self.layers)} must increase")
        return self


class Decent(Adversarial):
    """DECENT (Xie et al., NeurIPS 2022): density changing regularisation."""

    method: Literal["decent"]
    name: Name = "decent"
    density: DensityChange = DensityChange()
    identity_weight: float = Field(10.0, ge=0, description="Weight of the L1 change of a target image.")

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers("density.layers", self.density.layers, self)
        return self


section = Decent

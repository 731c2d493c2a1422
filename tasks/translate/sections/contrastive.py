"""What the sections of the methods with PatchNCE share."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.adversarial import Adversarial
from tasks.translate.sections.learned import check_layers


class PatchNce(Section):
    """The contrastive loss between patches of an image and of its translation, in the generator's own features."""

    layers: tuple[int, ...] = Field(
        (0, 4, 8, 12, 16),
        min_length=1,
        description="0 padded input, 4 and 8 the down-sampling convolutions, 12, 13, ... residual blocks 1, 2, ...",
    )
    weights: tuple[float, ...] | None = Field(None, description="One weight a layer; all equal if absent.")
    temperature: float = Field(0.07, gt=0)
    patches: int = Field(256, ge=2, description="Locations drawn from each layer.")
    width: int = Field(256, ge=1, description="Length of the projected feature vectors.")

    @model_validator(mode="after")
    def _one_weight_a_layer(self) -> PatchNce:
        if self.weights is not None and len(self.weights) != len(self.layers):
            raise ValueError(f"{len(self.weights)} weights for {len(self.layers)} layers: give one a layer")
        if tuple(sorted(set(self.layers))) != self.layers:
            raise ValueError(f"layers {list(self.layers)} must increase")
        return self


class Contrastive(Adversarial):
    """With PatchNCE in the generator's own features."""

    nce: PatchNce = PatchNce()
    nce_weight: float | None = Field(None, ge=0, description="Weight of the NCE term; if absent 1, for FastCUT 10.")

    @model_validator(mode="after")
    def _layers_exist(self) -> Self:
        check_layers("nce.layers", self.nce.layers, self)
        return self

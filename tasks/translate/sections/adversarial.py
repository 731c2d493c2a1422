"""What the sections of the methods with a PatchGAN share."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.learned import Learned


class Discriminator(Section):
    """PatchGAN: each output judges one patch, 70x70 pixels for 3 layers."""

    channels: int = Field(64, ge=1, description="Channels of the first layer; they double up to eight times as many.")
    layers: int = Field(3, ge=1, le=5, description="Down-sampling layers.")
    norm: bool = Field(True, description="InstanceNorm, as published; without it a colour cast is seen sooner.")


class Adversarial(Learned):
    """A ResNet generator judged by a PatchGAN."""

    discriminator: Discriminator = Discriminator()

    @model_validator(mode="after")
    def _crops_are_large_enough(self) -> Self:
        if self.training.crop < (least := 4 * 2**self.discriminator.layers):
            raise ValueError(f"training.crop {self.training.crop}: this discriminator needs crops of {least} at least")
        return self

"""What the sections of the methods with a PatchGAN share."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.learned import Learned


class Discriminator(Section):
    """PatchGAN: each output judges one patch, with 3 layers 84x84 pixels (blur) or 70x70 (stride)."""

    channels: int = Field(64, ge=1, description="Channels of the first layer; they double up to eight times as many.")
    layers: int = Field(3, ge=1, le=5, description="Down-sampling layers.")
    norm: bool = Field(True, description="InstanceNorm, as published; without it a colour cast is seen sooner.")
    resampling: Literal["blur", "stride"] = Field(
        "blur", description="blur: a blur behind each convolution halves, as CUT's; stride: as CycleGAN's."
    )


class Adversarial(Learned):
    """A ResNet generator judged by a PatchGAN."""

    discriminator: Discriminator = Discriminator()
    init: Literal["xavier", "normal"] = Field(
        "xavier",
        description="Initial weights: Xavier's with gain 0.02 (CUT and what builds on it), or N(0, 0.02^2) (CycleGAN).",
    )

    @model_validator(mode="after")
    def _crops_are_large_enough(self) -> Self:
        if self.training.crop < (least := 4 * 2**self.discriminator.layers):
            raise ValueError(f"training.crop {self.training.crop}: this discriminator needs crops of {least} at least")
        return self

    @property
    def gain(self) -> float | None:
        """The gain of Xavier's initial weights; None for normal ones."""
        return 0.02 if self.init == "xavier" else None

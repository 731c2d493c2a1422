"""The section of VSAIT."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tasks.translate.sections.base import Name
from tasks.translate.sections.features import Features
from tasks.translate.sections.learned import Generator, Learned


class VsaitGenerator(Generator):
    """As of every method, but it goes down and up as VSAIT's authors' does."""

    resampling: Literal["blur", "stride", "gaussian"] = Field("gaussian", description="As of every generator.")


class Vsait(Learned):
    """VSAIT (Theiss et al., ECCV 2022): unpaired translation in a vector symbolic architecture.

    Its learning rates fall by ``halve_every``; ``training.decay`` is not used.
    """

    method: Literal["vsait"]
    name: Name = "vsait"
    generator: VsaitGenerator = VsaitGenerator()
    features: Features = Field(Features(network="random"), description="Needed unless weights are given.")
    length: int = Field(4096, ge=8, description="Length of the hypervectors.")
    vsa_weight: float = Field(10.0, ge=0)
    discriminator_lr: float = Field(
        4e-4, gt=0, description="Learning rate of the discriminator; generator and mapping learn at training.lr."
    )
    to_train: ClassVar[tuple[str, ...]] = ("training", "features")
    halve_every: int = Field(100_000, ge=1, description="Steps after which learning rates are halved.")

    @model_validator(mode="after")
    def _crops_are_whole_patches(self) -> Self:
        if self.training.crop % 16:
            raise ValueError(f"training.crop {self.training.crop}: hypervectors need crops of a multiple of 16")
        return self

    def training_slice(self) -> dict[str, Any]:
        """As of every method; of the features' file its SHA-256 counts, not where it lies."""
        plain = super().training_slice()
        del plain["features"]["path"]
        return plain


section = Vsait

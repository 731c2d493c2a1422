"""The section of CycleGAN."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.translate.sections.adversarial import Adversarial, Discriminator
from tasks.translate.sections.base import Name


class StridedDiscriminator(Discriminator):
    """As of every method, but it halves as CycleGAN's does."""

    resampling: Literal["blur", "stride"] = Field("stride", description="As of every PatchGAN.")


class CycleGan(Adversarial):
    """CycleGAN (Zhu et al., ICCV 2017): two generators that undo each other.

    Its generators go down and up as CUT's do, which leaves no checkerboard; those of its authors, with strided and
    transposed convolutions, are ``generator.resampling: stride``.
    """

    method: Literal["cyclegan"]
    name: Name = "cyclegan"
    discriminator: StridedDiscriminator = StridedDiscriminator()
    init: Literal["xavier", "normal"] = Field("normal", description="As of every method with a PatchGAN.")
    cycle_weight: float = Field(10.0, ge=0, description="Weight of the L1 distance after there and back.")
    identity_weight: float = Field(5.0, ge=0, description="Weight of the L1 change of an image of the other side.")
    pool: int = Field(50, ge=0, description="Earlier translations that a discriminator may be shown again.")


section = CycleGan

"""The section of FDA."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tasks.translate.sections.base import Name, TranslatorSection


class Fda(TranslatorSection):
    """Fourier domain adaptation (Yang and Soatto, CVPR 2020): low frequencies take a target image's amplitude."""

    method: Literal["fda"]
    name: Name = "fda"
    beta: float = Field(0.01, ge=0, le=0.5, description="Half width of the swapped window / the image's shorter side.")
    seed: int = Field(0, ge=0, description="Seed of which target image serves which source image.")
    uses_target: ClassVar[bool] = True


section = Fda

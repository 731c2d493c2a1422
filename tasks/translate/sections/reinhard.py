"""The section of Reinhard's colour transfer."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tasks.translate.sections.base import Name, TranslatorSection


class Reinhard(TranslatorSection):
    """Colour transfer in CIELAB (Reinhard et al. 2001): every channel's mean and spread become the target set's."""

    method: Literal["reinhard"]
    name: Name = "reinhard"
    images: int = Field(200, ge=1, description="Measure so many target images, drawn at random.")
    seed: int = Field(0, ge=0, description="Seed of that draw.")
    uses_target: ClassVar[bool] = True


section = Reinhard

"""The ``translators`` section: which methods turn the simulator's images into the target's look, and how."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from tasks.contracts import Section
from tasks.translate.sections.command import OutsideCommand
from tasks.translate.sections.cut import Cut
from tasks.translate.sections.cyclegan import CycleGan
from tasks.translate.sections.decent import Decent
from tasks.translate.sections.fda import Fda
from tasks.translate.sections.identity import Identity
from tasks.translate.sections.images import OutsideImages
from tasks.translate.sections.reinhard import Reinhard
from tasks.translate.sections.srunit import Srunit
from tasks.translate.sections.vsait import Vsait

Translator = Annotated[
    Identity | Reinhard | Fda | Cut | CycleGan | Srunit | Decent | Vsait | OutsideImages | OutsideCommand,
    Field(discriminator="method"),
]


class TranslateConfig(Section):
    """The translators that take part, each an arm of the comparison."""

    translators: tuple[Translator, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_names(self) -> TranslateConfig:
        names = [t.name for t in self.translators]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"several translators are named {', '.join(twice)}: give each its own 'name'")
        return self

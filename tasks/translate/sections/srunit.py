"""The section of SRUNIT."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.contracts import Section
from tasks.translate.sections.base import Name
from tasks.translate.sections.contrastive import Contrastive


class Robustness(Section):
    """SRUNIT's term: a small change of a feature must change the translation's features in proportion at most.

    As published but for two things: the change is divided by the length of its own noise, as the paper has it (the
    authors' program draws another), and lengths are a tenth of the largest at least.
    """

    weight: float = Field(1e-3, ge=0, description="Weight of the mean over layers.")
    magnitude: float = Field(1e-3, gt=0, description="Largest length of the noise added to a location's features.")
    patches: int = Field(256, ge=1, description="Locations that are compared.")
    start: float = Field(0.25, ge=0, le=1, description="The share of the steps after which the term begins.")


class Srunit(Contrastive):
    """SRUNIT (Jia et al., ICCV 2021): CUT that keeps meaning under small changes of its features."""

    method: Literal["srunit"]
    name: Name = "srunit"
    robustness: Robustness = Robustness()


section = Srunit

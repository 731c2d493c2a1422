"""The section of CUT and FastCUT."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.translate.sections.base import Name
from tasks.translate.sections.contrastive import Contrastive


class Cut(Contrastive):
    """CUT and FastCUT (Park et al., ECCV 2020): contrastive unpaired translation with one generator."""

    method: Literal["cut"]
    name: Name = "cut"
    fast: bool = Field(False, description="FastCUT: NCE weight 10, no identity term, flip equivariance.")


section = Cut

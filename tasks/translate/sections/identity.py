"""The section of the untranslated arm."""

from __future__ import annotations

from typing import Literal

from tasks.translate.sections.base import Name, TranslatorSection


class Identity(TranslatorSection):
    """The simulator's image as it is, encoded anew: the arm that every other one is compared with."""

    method: Literal["identity"]
    name: Name = "identity"


section = Identity

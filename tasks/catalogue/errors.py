"""An error that is told in the language of the report."""

from __future__ import annotations

from tasks.catalogue.language import say
from tasks.contracts import Finding


class FindingError(Exception):
    """Something that cannot go on; ``finding`` says what, why, and what to do."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding

    def __str__(self) -> str:
        return say(self.finding)

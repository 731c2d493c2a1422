"""How a translator fails, in training or in use."""

from tasks.catalogue import say
from tasks.contracts import Finding


class OutsideError(Exception):
    """What another program made, or how it ended, is not what was asked of it; ``finding`` says what."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding

    def __str__(self) -> str:
        return say(self.finding)


class TranslatorError(Exception):
    """A training that cannot go on; the message says why, and what to change."""


class SetbackError(Exception):
    """A training went wrong and must go back; the message says at which step and how."""


class WeightsError(Exception):
    """A file of weights that is not what it should be; the message names the file."""

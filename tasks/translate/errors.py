"""How a translator fails, in training or in use."""

from tasks.catalogue import FindingError


class OutsideError(FindingError):
    """What another program made, or how it ended, is not what was asked of it; ``finding`` says what."""


class TranslatorError(Exception):
    """A training that cannot go on; the message says why, and what to change."""


class SetbackError(Exception):
    """A training went wrong and must go back; the message says at which step and how."""


class WeightsError(Exception):
    """A file of weights that is not what it should be; the message names the file."""

"""How a translator's training fails."""


class TranslatorError(Exception):
    """A training that cannot go on; the message says why, and what to change."""


class SetbackError(Exception):
    """A training went wrong and must go back; the message says at which step and how."""

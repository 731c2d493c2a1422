"""What can be wrong with the evidence that evaluations left."""

from __future__ import annotations

from pathlib import Path

from tasks.catalogue import FindingError
from tasks.contracts import Finding


class EvidenceError(FindingError, ValueError):
    """Evidence that is incomplete, broken, or not of the same benchmark as another's; ``finding`` says what."""


def unreadable(path: Path, error: Exception) -> EvidenceError:
    """That a file cannot be read."""
    if isinstance(error, FileNotFoundError):
        return EvidenceError(Finding.of("evidence.missing", file=path))
    return EvidenceError(Finding.of("evidence.unreadable", file=path, error=" ".join(str(error).split())))

"""Training checkpoints: written atomically, the newest that opens is resumed."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import torch

from tasks.store import UnreadableWeights, atomic_path, read_weights

log = logging.getLogger(__name__)

_FOLDER = "checkpoints"
_KEPT = 2  # the newest, and one in case it does not open


def save(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write the state after ``step`` steps; of the older ones, only the last stays."""
    with atomic_path(folder / _FOLDER / f"{step:08d}.pt") as temporary:
        torch.save(state, temporary)
    for old in _all(folder)[:-_KEPT]:
        old.unlink()


def newest(folder: Path, device: torch.device) -> dict[str, Any] | None:
    """Load the newest checkpoint that opens; those that do not are deleted, with a warning."""
    for path in reversed(_all(folder)):
        try:
            return read_weights(path, device, beside=())
        except UnreadableWeights as error:
            log.warning("%s; going back to an older one", error)
            path.unlink()
    return None


def remove(folder: Path) -> None:
    """Delete all checkpoints: the training is finished."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


def _all(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / _FOLDER).glob("*.pt") if p.stem.isdigit())

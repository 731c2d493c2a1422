"""Training checkpoints: written atomically, the newest that opens is resumed."""

from __future__ import annotations

import logging
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from tasks.store import atomic_path

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
            state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
            return state
        except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
            log.warning("%s does not open (%s): going back to an older one", path, error or type(error).__name__)
            path.unlink()
    return None


def remove(folder: Path) -> None:
    """Delete all checkpoints: the training is finished."""
    shutil.rmtree(folder / _FOLDER, ignore_errors=True)


def _all(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / _FOLDER).glob("*.pt") if p.stem.isdigit())

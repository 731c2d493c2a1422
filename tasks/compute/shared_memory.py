"""Shared memory, through which a training's loaders pass their batches."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path("/dev/shm")
_AHEAD = 2  # batches that each loader prepares: PyTorch's default


def shared_memory_free() -> int | None:
    """Bytes free in ``/dev/shm``, of which Docker gives a container 64 MB; None where there is no such folder."""
    try:
        found = os.statvfs(_FOLDER)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def shared_memory_needed(loaders: int, batch: int, image: int) -> int:
    """Bytes that wait in shared memory at most.

    Args:
        loaders: data-loading processes.
        batch: images of a batch.
        image: bytes of an image, with its label, as a loader passes it.
    """
    return loaders * _AHEAD * batch * image

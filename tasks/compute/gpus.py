"""Which of a machine's GPUs a model is worked on: one model at a time on each, held by a file lock.

The locks lie in the store, so that all runs that use it share the machine's GPUs, with or without a server. A lock's
name begins with the machine's, so that machines that share the store do not wait for each other.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)
FOLDER = ".gpus"
_POLL_SECONDS = 0.5


class GpuError(Exception):
    """A machine has not the GPUs that the configuration asks for."""


def usable(limit: int = 0) -> tuple[str, ...]:
    """This machine's GPUs, by the names that CUDA_VISIBLE_DEVICES knows them by.

    Args:
        limit: how many of them may be used, the first ones; 0 for all.

    Raises:
        GpuError: there are none, or fewer than ``limit``.
    """
    import torch

    count = torch.cuda.device_count()
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in given.split(",")] if given else [str(index) for index in range(count)]
    if not count:
        raise GpuError(f"retrain.device: {socket.gethostname()} has no GPU that CUDA can use; take cpu or auto")
    if limit > count:
        raise GpuError(f"retrain.gpus: {limit} are asked for, and {socket.gethostname()} has {count}: lower it, or 0")
    return tuple(names[: limit or count])  # CUDA itself ignores the names that it does not count


@contextmanager
def held(names: Sequence[str], folder: Path, poll: float = _POLL_SECONDS) -> Iterator[str]:
    """Hold one of these GPUs until the block ends, after waiting until one is free.

    The operating system drops the lock of a process that dies, in whatever way.

    Args:
        names: the GPUs' names; at least one.
        folder: where the locks lie; made if there is none.
        poll: seconds between two looks.

    Yields:
        The name of the GPU that is held.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken = _take(names, folder)
    if taken is None:
        log.info("all GPUs (%s) are at work; waiting", ", ".join(names))
    while taken is None:
        time.sleep(poll)
        taken = _take(names, folder)
    name, lock = taken
    try:
        yield name
    finally:
        lock.release()


def _take(names: Sequence[str], folder: Path) -> tuple[str, FileLock] | None:
    for name in names:
        lock = FileLock(folder / f"{socket.gethostname()}-{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        return name, lock
    return None

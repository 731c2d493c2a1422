"""Which of a machine's GPUs are worked on: one piece of work at a time on each, held by a file lock.

The locks lie in the store, so that all runs that use it share the machine's GPUs, with or without a server. A lock's
name begins with the machine's, so that machines that share the store do not wait for each other.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.compute.locking import REMIND_SECONDS, Exclusive, holder

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
        raise GpuError(f"compute.device: {socket.gethostname()} has no GPU that CUDA can use; take cpu or auto")
    if limit > count:
        raise GpuError(f"compute.gpus: {limit} are asked for, and {socket.gethostname()} has {count}: lower it, or 0")
    return tuple(names[: limit or count])  # CUDA itself ignores the names that it does not count


@contextmanager
def held(names: Sequence[str], folder: Path, count: int = 1, poll: float = _POLL_SECONDS) -> Iterator[tuple[str, ...]]:
    """Hold so many of these GPUs until the block ends, after waiting until they are free: all of them, or none.

    So nobody waits for a GPU of somebody who waits for theirs.

    The operating system drops the lock of a process that dies, in whatever way.

    Args:
        names: the GPUs' names.
        folder: where the locks lie; made if there is none.
        count: how many to hold, of the names at most.
        poll: seconds between two looks.

    Yields:
        The names of the GPUs that are held.
    """
    folder.mkdir(parents=True, exist_ok=True)
    again = time.monotonic()
    while not (taken := _take(names, folder, count)):
        if time.monotonic() >= again:
            again += REMIND_SECONDS
            busy = "; ".join(f"{name}: {holder(_lock(folder, name))}" for name in names)
            log.info("waiting for %d of the GPUs %s", count, busy)
        time.sleep(poll)
    try:
        yield tuple(taken)
    finally:
        _release(taken)


def _take(names: Sequence[str], folder: Path, count: int) -> dict[str, Exclusive]:
    """Lock so many that are free; none of them where they are fewer."""
    taken: dict[str, Exclusive] = {}
    for name in names:
        lock = Exclusive(_lock(folder, name), f"working on GPU {name}")
        if lock.taken():
            taken[name] = lock
        if len(taken) == count:
            return taken
    _release(taken)
    return {}


def _lock(folder: Path, name: str) -> Path:
    return folder / f"{socket.gethostname()}-{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.lock"


def _release(taken: Mapping[str, Exclusive]) -> None:
    for lock in taken.values():
        lock.release()

"""Peak memory of what builds an artifact: of the worker that did it, or else of this process."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LINE = re.compile(r"^peak memory: (\d+) bytes, GPU: (\d+|none)$")
_EVERY_SECONDS = 0.2
_STATUS = Path("/proc/self/status")


@dataclass
class Peak:
    """Bytes; None where they are not known.

    Attributes:
        resident: the most that one process held in main memory.
        gpu: the most that PyTorch's allocator held on a GPU.
        worker: whether these are a worker's own, and not those of the process that started it.
    """

    resident: int | None = None
    gpu: int | None = None
    worker: bool = False


_current: ContextVar[Peak | None] = ContextVar("peak", default=None)


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the peak while the block runs.

    Where a worker says its own (``tell_peak_memory``, ``heard``), that holds. Otherwise this process is sampled: what
    else runs in it meanwhile is in the figure, too.
    """
    peak, done = Peak(), threading.Event()

    def sample() -> None:
        while True:
            found = _status("VmRSS")
            if not peak.worker and found is not None:
                peak.resident = max(peak.resident or 0, found)
            if done.wait(_EVERY_SECONDS):
                return

    cuda = _cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()
    token = _current.set(peak)
    thread = threading.Thread(target=sample, daemon=True, name="peak memory")
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()
        _current.reset(token)
        cuda = _cuda()
        if not peak.worker and cuda is not None:
            peak.gpu = cuda.max_memory_allocated()


def tell_peak_memory() -> None:
    """In a worker, last thing: print the line that ``heard`` understands."""
    cuda = _cuda()
    gpu = "none" if cuda is None else cuda.max_memory_allocated()
    print(f"peak memory: {_status('VmHWM') or 0} bytes, GPU: {gpu}", flush=True)


def heard(line: str) -> bool:
    """Take a worker's peak from a line that it printed; returns whether it was one.

    Of several workers of one artifact, the largest counts.
    """
    match, peak = _LINE.match(line), _current.get()
    if match is None:
        return False
    if peak is not None:
        before = peak if peak.worker else Peak()
        peak.worker = True
        peak.resident = max(before.resident or 0, int(match[1])) or None
        peak.gpu = before.gpu if match[2] == "none" else max(before.gpu or 0, int(match[2]))
    return True


def _status(name: str) -> int | None:
    """A size in bytes from Linux's ``/proc/self/status``; None elsewhere."""
    try:
        line = next(text for text in _STATUS.read_text().splitlines() if text.startswith(f"{name}:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024


def _cuda() -> Any:
    """``torch.cuda`` where this process has used a GPU; torch is never imported for it."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None

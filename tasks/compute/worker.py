"""The last lines of every worker: do the job, say what is wrong in one line, tell the peak of memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.compute.memory import tell_peak_memory
from tasks.compute.process import EXPLAINED, FAILED


def do_job(path: Path, work: Callable[[Path], None], *known: type[Exception]) -> int:
    """Do what a job file says, and delete it.

    Args:
        path: the job file.
        work: is given that.
        known: errors that are told in one line, without a traceback.

    Returns:
        The exit status: 0, or 2 for a known error.
    """
    try:
        work(path)
    except known as error:
        print(f"{EXPLAINED}{' '.join(str(error).splitlines())}", flush=True)
        return FAILED
    path.unlink(missing_ok=True)
    tell_peak_memory()
    return 0

"""The last lines of every worker: do the job, say what is wrong in one line, tell the peak of memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tasks.compute.memory import tell_peak_memory
from tasks.compute.process import EXPLAINED, REFUSED


def do_job(path: Path, work: Callable[[Path], None], *wrong: type[Exception]) -> int:
    """Do what a job file says, and delete it.

    Args:
        path: the job file.
        work: is given that.
        wrong: errors in the configuration or the data, which are told in one line, without a traceback.

    Returns:
        The exit status: 0, or 2 for one of these errors.
    """
    try:
        work(path)
    except wrong as error:
        print(f"{EXPLAINED}{' '.join(str(error).splitlines())}", flush=True)
        return REFUSED
    path.unlink(missing_ok=True)
    tell_peak_memory()
    return 0

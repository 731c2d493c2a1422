"""A machine whose workers do their work in the test's process: cheaper, with the test's fakes, and real exceptions."""

import importlib
from pathlib import Path

from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Machine


def work_here(module: str, job: Path, *_: object) -> None:
    """Do a worker's work, instead of starting it."""
    importlib.import_module(module).work(job)
    job.unlink(missing_ok=True)


HERE = Machine(ComputeConfig(device="cpu"), Path("no locks on a CPU"), start=work_here)

"""What a piece of work may use while it runs: a device, threads, GPUs. Every kind of work takes them from here.

Work that computes runs in a process of its own, which is told by its environment what it may use, before it imports
anything. So no two pieces of work set one process's device or number of threads, and what a process held of a GPU is
free when it ends.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tasks.compute import gpus
from tasks.compute.config import ComputeConfig
from tasks.compute.device import resolve_device
from tasks.compute.process import run_worker

# Which torch, pyarrow and NumPy's libraries obey, and OpenCV, which has threads of its own.
_THREADS, _OPENCV = "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"
_GPUS = "CUDA_VISIBLE_DEVICES"
# Runs a worker, as ``run_worker`` does.
Run = Callable[[str, Path, str, re.Pattern[str], dict[str, str], float | None], None]


@dataclass(frozen=True)
class Lease:
    """What one piece of work may use, for as long as it is held.

    Attributes:
        device: ``cpu`` or ``cuda``.
        threads: CPU threads of each of its processes, which are as many as its GPUs, or one.
        gpus: the names that CUDA_VISIBLE_DEVICES knows them by; none on ``cpu``.
    """

    device: str
    threads: int
    gpus: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """What tells a process of it: the number of threads, and the GPUs that CUDA shall show."""
        count = str(self.threads)
        return {_THREADS: count, _OPENCV: count, _GPUS: ",".join(self.gpus)}


@dataclass(frozen=True)
class Machine:
    """This machine, as a configuration lets work use it.

    Attributes:
        config: the section of the configuration.
        locks: the folder of the GPUs' locks, which all runs share that shall not get in each other's way.
        slots: a further limit to be held for so many GPUs, such as one over several machines.
        start: how a worker is run.
    """

    config: ComputeConfig
    locks: Path
    slots: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext()
    start: Run = run_worker

    @contextmanager
    def lease(self, *, gpu: bool = True, batch: int = 1) -> Iterator[Lease]:
        """Hold a share of the machine until the block ends; on ``cuda``, wait until GPUs are free.

        Args:
            gpu: whether the work can use one.
            batch: images that pass a network together. It is given as many GPUs of its share as divide them.

        Raises:
            GpuError: this machine has not the GPUs that the configuration asks for.
        """
        cores = (os.cpu_count() or 1) // self.config.workers
        if not gpu or resolve_device(self.config.device) == "cpu":
            yield Lease("cpu", max(1, cores))
            return
        names = gpus.usable(self.config.gpus)
        most = max(1, len(names) // self.config.workers)
        count = max(n for n in range(1, most + 1) if batch % n == 0)
        # The GPUs first: a slot that waits for one would keep other machines from theirs.
        with gpus.held(names, self.locks, count) as held, self.slots(count):
            yield Lease("cuda", max(1, cores // count), held)

    def run(self, lease: Lease, module: str, job: Path, label: str, shown: re.Pattern[str]) -> None:
        """Run a worker on what is held, to its end.

        Args:
            lease: held by the caller meanwhile.
            module: a module of this repository that calls ``die_with_parent()`` first thing.
            job: the file that tells it what to do, in the folder that it writes to.
            label: what its lines in the log begin with.
            shown: the lines that go to the log as well as to ``log.txt`` beside the job file.

        Raises:
            ProcessError: it failed; the message holds what it said of it, or the end of its output.
            StalledError: it made no progress for ``compute.stalled_after`` seconds.
        """
        self.start(module, job, label, shown, lease.environment(), self.config.stalled_after)


def leased() -> dict[str, str]:
    """What this process's lease told it of threads and GPUs, for a program that it starts."""
    return {name: os.environ[name] for name in (_THREADS, _OPENCV, _GPUS) if name in os.environ}


def threads() -> int:
    """CPU threads that this process may use: what its lease gave it, or as many as there are cores."""
    return int(os.environ.get(_THREADS) or os.cpu_count() or 1)

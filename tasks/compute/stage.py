"""Workers under Prefect: one that uses OpenMMLab's packages, on a GPU of its own where there are any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import get_client
from prefect.concurrency.sync import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound

from tasks.compute import gpus
from tasks.compute.process import run_worker

GPU_LIMIT = "sim2real-gpu"
_PROGRESS = re.compile(r"Iter\(train\)|^resuming|^error|^scored")


def run_mm_worker(module: str, job: Path, label: str, threads: int, device: str, limit: int = 0) -> None:
    """Run a worker that uses OpenMMLab's packages; its iterations and scores go to the log.

    On ``cuda`` it waits for a GPU that no other worker of this store holds, and sees that one alone.

    Args:
        module: a module of this repository that calls ``die_with_parent()`` first thing.
        job: the file that tells it what to do, in the work folder of an artifact that the store is building.
        label: what its lines in the log begin with.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
        limit: GPUs of this machine that may be used; 0 for all.

    Raises:
        ProcessError: it failed; the message holds the end of its output.
        GpuError: this machine has not so many GPUs.
    """
    with _visible(device, limit, job) as visible:
        environment = {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": visible}
        run_worker(module, job, label, _PROGRESS, environment)


@contextmanager
def _visible(device: str, limit: int, job: Path) -> Iterator[str]:
    """What CUDA shall show to a worker: nothing, or the one GPU that is held for it."""
    if device == "cpu":
        yield ""
        return
    locks = job.parents[2] / gpus.FOLDER  # <store>/<kind>/<work folder>/<job>
    # The GPU first: a slot that waits for one would keep other machines from theirs.
    with gpus.held(gpus.usable(limit), locks) as name, _slot():
        yield name


@contextmanager
def _slot() -> Iterator[None]:
    """A slot of Prefect's global concurrency limit ``sim2real-gpu`` over all machines, where the server has one."""
    if TaskRunContext.get() is None or not _has_limit():
        yield
        return
    with concurrency(GPU_LIMIT):
        yield


def _has_limit() -> bool:
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(GPU_LIMIT)
        except ObjectNotFound:
            return False
    return True

"""This machine under Prefect: its GPUs count against a limit over all machines, where the server has one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import get_client
from prefect.concurrency.sync import concurrency
from prefect.context import TaskRunContext
from prefect.exceptions import ObjectNotFound

from tasks.compute import gpus
from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Machine

GPU_LIMIT = "sim2real-gpu"


def this_machine(config: ComputeConfig, store: Path) -> Machine:
    """The machine that a task runs on; all runs that use a store share its GPUs.

    Args:
        config: the section of the configuration.
        store: the store's folder.
    """
    return Machine(config, store / gpus.FOLDER, _slots)


@contextmanager
def _slots(count: int) -> Iterator[None]:
    """Slots of Prefect's global concurrency limit ``sim2real-gpu`` over all machines, where the server has one."""
    if TaskRunContext.get() is None or not _has_limit():
        yield
        return
    with concurrency(GPU_LIMIT, occupy=count):
        yield


def _has_limit() -> bool:
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(GPU_LIMIT)
        except ObjectNotFound:
            return False
    return True

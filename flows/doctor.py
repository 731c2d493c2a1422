"""What this machine has, and what a configuration would need of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.config import PipelineConfig
from flows.plan.planner import PlannedStage
from flows.plan.run import plan_run
from flows.preflight import prefect_home, unwritable
from tasks.catalogue import say
from tasks.compute import device_name, resolve_device, shared_memory_free
from tasks.datasets import SampleTable
from tasks.store import Store, describe_environment
from tasks.translate import Learned

_PIXEL = 3  # bytes of a pixel, of which PNG needs fewer
_LOW_SHARED = 256 << 20  # loaders pass batches through it; Docker's 64 MB are too little for most
_LOW_DISK = 5 << 30


@dataclass(frozen=True)
class Examined:
    """What was found of one thing; ``wrong`` where it would stop a run."""

    what: str
    found: str
    wrong: bool = False


def machine(store: Path, output: Path) -> Iterator[Examined]:
    """Packages, devices, disk, shared memory and places."""
    told = describe_environment()
    yield Examined("Python", str(told["python"]))
    for name, version in told["packages"].items():
        yield Examined(name, version or "not installed: make install", wrong=version is None)
    yield Examined("device", _device())
    yield Examined("CPU cores", str(os.cpu_count()))
    free = shared_memory_free()
    if free is not None:
        low = free < _LOW_SHARED
        advice = ": too little for loaders; start the container with --shm-size=2g" if low else ""
        yield Examined("free shared memory", _size(free) + advice, low)
    for name, folder in (("store", store), ("output", output), ("PREFECT_HOME", prefect_home())):
        yield _place(name, folder)


def _device() -> str:
    kind = resolve_device()
    import torch

    if kind == "cpu":
        return device_name(torch.device("cpu"))
    return ", ".join(device_name(torch.device("cuda", n)) for n in range(torch.cuda.device_count()))


def _place(name: str, folder: Path) -> Examined:
    for finding in unwritable(folder):
        return Examined(name, say(finding), wrong=True)
    path = folder.expanduser().absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    return Examined(name, f"{folder}: writable, {_size(free)} free", wrong=free < _LOW_DISK)


def needs(settings: PipelineConfig) -> Iterator[Examined]:
    """What a configuration, whose files were looked for when it was loaded, would write and read."""
    stages = plan_run(settings)
    todo = [s for s in stages if s.state in ("build", "after")]
    yield Examined("stages", f"{len(stages)}, of which {len(todo)} are not in the store")
    yield Examined("translated images", _images(settings, stages, todo))
    yield Examined("models", _models(Store(settings.store), todo))
    yield from _weights(settings)


def _images(settings: PipelineConfig, stages: list[PlannedStage], todo: list[PlannedStage]) -> str:
    sets = sum(s.kind == "translated" for s in todo)
    source = next(s for s in stages if s.name == "dataset source")
    if not sets or source.key is None or source.state != "found":
        return "all in the store" if not sets else f"{sets} sets, of a size not known before `sim2real data check`"
    table = SampleTable.read(Store(settings.store).get(source.kind, source.key).path)
    pixels = sum(width * height * count for (width, height), count in table.sizes().items())
    return f"{sets} sets of {len(table)} images: {_size(sets * pixels * _PIXEL)} at most"


def _models(store: Store, todo: list[PlannedStage]) -> str:
    count = sum(s.kind == "model" for s in todo)
    sizes = [sum(f.size for f in m.files) for m in store.artifacts() if m.kind == "model"]
    if not count or not sizes:
        return "all in the store" if not count else f"{count}, of a size not known before one was trained"
    return f"{count}, {_size(count * max(sizes))} if each is as large as the largest in the store"


def _weights(settings: PipelineConfig) -> Iterator[Examined]:
    """Files of weights that are named, each of which had its SHA-256 when the configuration was loaded."""
    for task, training in settings.retrain.tasks().items():
        found = f"{training.init.path}: there, with its SHA-256" if training.init else "none named: trained from random"
        yield Examined(f"initial weights of {task}", found)
    for translator in settings.translate.translators:
        if isinstance(translator, Learned) and translator.weights is not None:
            yield Examined(f"weights of {translator.name}", f"{translator.weights.path}: there, with its SHA-256")


def _size(count: float) -> str:
    """Bytes in one unit, such as ``3.2 GB``."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"

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
from flows.preflight import existing, prefect_home, unwritable
from tasks.catalogue import say
from tasks.compute import device_name, resolve_device, shared_memory_free
from tasks.contracts import Finding
from tasks.datasets import SampleTable
from tasks.store import Store, describe_environment
from tasks.translate import Learned, OutsideCommand, told_program

_PIXEL = 3  # bytes of a pixel, of which PNG needs fewer
_LOW_SHARED = 256 << 20  # loaders pass batches through it; Docker's 64 MB are too little for most
_LOW_DISK = 1 << 30  # what a run of the embedded sample takes is below it


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
        # Nothing wrong as such: a configuration whose loaders need more is refused when it is loaded.
        advice = ": too little for most loaders; start a container with --shm-size=2g" if free < _LOW_SHARED else ""
        yield Examined("free shared memory", _size(free) + advice)
    yield _place("store", store)
    yield _place("output", output)
    yield _prefect()


def _device() -> str:
    kind = resolve_device()
    import torch

    if kind == "cpu":
        return device_name(torch.device("cpu"))
    return ", ".join(device_name(torch.device("cuda", n)) for n in range(torch.cuda.device_count()))


def _place(name: str, folder: Path) -> Examined:
    for finding in unwritable(folder):
        return Examined(name, say(finding), wrong=True)
    free = _free(folder)
    return Examined(name, f"{folder}: writable, {_size(free)} free", wrong=free < _LOW_DISK)


def _prefect() -> Examined:
    try:
        return _place("PREFECT_HOME", prefect_home())
    except RuntimeError:
        return Examined("PREFECT_HOME", say(Finding.of("settings.homeless")), wrong=True)


def _free(folder: Path) -> int:
    """Bytes free where a folder is, or would be made."""
    return shutil.disk_usage(existing(folder.expanduser().absolute())).free


def needs(settings: PipelineConfig) -> Iterator[Examined]:
    """What a configuration, whose files were looked for when it was loaded, would write and read."""
    stages = plan_run(settings)
    todo = [s for s in stages if s.state in ("build", "after")]
    yield Examined("stages", f"{len(stages)}, of which {len(todo)} are not in the store")
    images, for_images = _images(settings, stages, todo)
    models, for_models = _models(Store(settings.store), todo)
    free, needed = _free(settings.store), for_images + for_models
    yield Examined("translated images", images, wrong=needed > free)
    yield Examined("models", models, wrong=needed > free)
    yield from _weights(settings)


def _images(settings: PipelineConfig, stages: list[PlannedStage], todo: list[PlannedStage]) -> tuple[str, int]:
    """What translations take, in words and in bytes; 0 where it is not known."""
    sets = sum(s.kind == "translated" for s in todo)
    source = next(s for s in stages if s.name == "dataset source")
    if not sets or source.key is None or source.state != "found":
        unknown = f"{sets} sets, of a size not known before `sim2real data check`"
        return (unknown if sets else "all in the store"), 0
    table = SampleTable.read(Store(settings.store).get(source.kind, source.key).path)
    needed = sets * _PIXEL * sum(width * height * count for (width, height), count in table.sizes().items())
    return f"{sets} sets of {len(table)} images: {_size(needed)} at most", needed


def _models(store: Store, todo: list[PlannedStage]) -> tuple[str, int]:
    """What models take, in words and in bytes; 0 where it is not known."""
    count = sum(s.kind == "model" for s in todo)
    sizes = [sum(f.size for f in m.files) for m in store.artifacts() if m.kind == "model"]
    if not count or not sizes:
        return (f"{count}, of a size not known before one was trained" if count else "all in the store"), 0
    needed = count * max(sizes)
    return f"{count}, {_size(needed)} if each is as large as the largest in the store", needed


def _weights(settings: PipelineConfig) -> Iterator[Examined]:
    """Files of weights that are named, each of which had its SHA-256 when the configuration was loaded."""
    for task, training in settings.retrain.tasks().items():
        init = training.initial()
        found = f"{init.path}: there, with its SHA-256" if init else "none named: trained from random"
        yield Examined(f"initial weights of {task}", found)
    for translator in settings.translate.translators:
        if isinstance(translator, Learned) and translator.weights is not None:
            yield Examined(f"weights of {translator.name}", f"{translator.weights.path}: there, with its SHA-256")
        if isinstance(translator, OutsideCommand):
            yield Examined("a program is run", told_program(translator))


def _size(count: float) -> str:
    """Bytes in one unit, such as ``3.2 GB``."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"

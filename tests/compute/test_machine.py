"""What a piece of work may use: a device, threads, GPUs that are only names."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.compute import gpus
from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Lease, Machine


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Machine]:
    """Pretend to be a machine of so many GPUs."""

    def pretend(count: int, **config: object) -> Machine:
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        return Machine(ComputeConfig.model_validate({"device": "cuda", **config}), tmp_path / gpus.FOLDER)

    return pretend


def test_cores_and_gpus_are_divided_among_workers(machine: Callable[..., Machine]) -> None:
    with machine(4, workers=2).lease(batch=8) as first, machine(4, workers=2).lease(batch=8) as second:
        assert first == Lease("cuda", 2, ("0", "1"))
        assert second == Lease("cuda", 2, ("2", "3"))
    with machine(1, workers=16).lease(batch=8) as lease:
        assert lease == Lease("cuda", 1, ("0",))


@pytest.mark.parametrize(("batch", "held"), [(1, 1), (2, 2), (3, 3), (5, 1), (8, 4)])
def test_a_batch_is_divided_evenly(machine: Callable[..., Machine], batch: int, held: int) -> None:
    with machine(4).lease(batch=batch) as lease:
        assert len(lease.gpus) == held
    with machine(4, gpus=1).lease(batch=batch) as lease:
        assert lease.gpus == ("0",)


def test_on_the_cpu_nothing_is_waited_for(machine: Callable[..., Machine], tmp_path: Path) -> None:
    with machine(2, device="cpu").lease(batch=2) as lease:
        assert lease == Lease("cpu", 8)
        counts = {"OMP_NUM_THREADS": "8", "OPENCV_FOR_THREADS_NUM": "8"}
        assert lease.environment() == {**counts, "CUDA_VISIBLE_DEVICES": ""}
    with machine(2).lease(gpu=False) as lease:
        assert lease == Lease("cpu", 8)
    assert list(tmp_path.iterdir()) == []


def test_two_workers_see_two_gpus(machine: Callable[..., Machine], tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)
    seen = []

    def start(module: str, job: Path, label: str, shown: object, environment: dict[str, str], _: object) -> None:
        both.wait()
        seen.append(environment)

    def work(number: int) -> None:
        shared = machine(2, workers=2)
        with (shared := Machine(shared.config, shared.locks, start=start)).lease() as lease:
            shared.run(lease, "m", tmp_path / "job.json", "l", re.compile(""))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert sorted(e["CUDA_VISIBLE_DEVICES"] for e in seen) == ["0", "1"]
    assert {e["OMP_NUM_THREADS"] for e in seen} == {"4"}
    assert (tmp_path / gpus.FOLDER).is_dir()

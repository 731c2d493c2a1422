"""Loaders that hang, die, or lack shared memory are told of in words."""

import time
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from tasks.catalogue.language import say
from tasks.compute import shared_memory
from tasks.compute.config import ComputeConfig
from tasks.compute.shared_memory import shared_memory_free, shared_memory_needed
from tasks.contracts.task import Task
from tasks.retrain.config import RetrainConfig, TrainingConfig
from tasks.retrain.configuration import resolved
from tasks.retrain.job import TrainJob
from tasks.retrain.loaders import check_shared_memory, image_bytes, loaders_explained
from tasks.retrain.preflight import loader_problems
from tasks.retrain.suitable import TrainingError
from tasks.settings.problems import Place

NETWORKS = Path("configs/networks")


def job(task: Task, network: str, loaders: int) -> TrainJob:
    training = TrainingConfig(config=NETWORKS / task / network, iterations=1, batch=8)
    places = {"tables": (), "work": Path("work"), "device": "cpu"}
    return TrainJob(task=task, training=training, seed=0, loaders=loaders, patience=0.5, **places)


@pytest.mark.parametrize(
    ("task", "network", "size"),
    [
        ("detection", "faster_rcnn_r50_fpn.py", 1333 * 800 * 3),
        ("detection", "rtmdet_tiny.py", 512 * 512 * 3),  # a crop
        ("segmentation", "deeplabv3plus_r50.py", 512 * 1024 * 11),
    ],
)
def test_size_of_what_a_loader_passes(task: Task, network: str, size: int) -> None:
    assert image_bytes(task, resolved(job(task, network, 1).training)) == size


def test_too_little_shared_memory_is_told_before_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.retrain.loaders.shared_memory_free", lambda: 64 * 2**20)  # Docker's default
    big = job("segmentation", "deeplabv3plus_r50.py", 8)
    network = resolved(big.training)
    with pytest.raises(TrainingError, match=r"8 loaders need 738 MB .* has 67 MB free: .*--shm-size"):
        check_shared_memory(big, network)
    check_shared_memory(big.model_copy(update={"loaders": 0}), network)
    monkeypatch.setattr("tasks.retrain.loaders.shared_memory_free", lambda: 2**30)
    check_shared_memory(big, network)
    monkeypatch.setattr("tasks.retrain.loaders.shared_memory_free", lambda: None)
    check_shared_memory(big, network)


def test_too_little_shared_memory_is_told_at_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(free: int | None, **compute: object) -> list[tuple[Place, str]]:
        monkeypatch.setattr("tasks.retrain.preflight.shared_memory_free", lambda: free)
        config = ComputeConfig.model_validate({"loaders": 8, "workers": 2, **compute})
        return [(p.place, say(p.finding)) for p in loader_problems(RetrainConfig(segmentation=training), config)]

    training = job("segmentation", "deeplabv3plus_r50.py", 8).training
    ((place, sentence),) = told(64 * 2**20)
    assert place == ("compute", "loaders")
    assert sentence.startswith("8 loaders a training (compute.workers: 2) pass up to 1476 MB of batches")
    assert "/dev/shm has 67 MB free" in sentence
    assert told(2**31) == told(None) == told(0, loaders=0) == []
    assert "up to 738 MB" in told(0, workers=1)[0][1]


def test_shared_memory_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert shared_memory_needed(4, 8, 100) == 6400
    monkeypatch.setattr(shared_memory, "_FOLDER", tmp_path)
    assert (shared_memory_free() or 0) > 0
    monkeypatch.setattr(shared_memory, "_FOLDER", tmp_path / "none")
    assert shared_memory_free() is None


class Hangs(Dataset[int]):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        time.sleep(3)
        return index


def test_a_loader_that_hangs_is_named() -> None:
    told = job("segmentation", "efficientnet_lite0_fpn.py", 1)
    with (
        pytest.raises(TrainingError, match=r"^compute\.loaders: DataLoader timed out after 0\.5 seconds; check that"),
        loaders_explained(told),
    ):
        list(DataLoader(Hangs(), num_workers=told.loaders, timeout=told.patience))


def test_a_loader_that_died_and_other_errors() -> None:
    told = job("segmentation", "efficientnet_lite0_fpn.py", 1)
    died = "DataLoader worker (pid 5) is killed by signal: Bus error. It is possible that dataloader's workers are out"
    with pytest.raises(TrainingError, match=r"Bus error; .*--shm-size=2g"), loaders_explained(told):
        raise RuntimeError(died)
    with pytest.raises(RuntimeError, match=r"^Caught RuntimeError in DataLoader"), loaders_explained(told):
        raise RuntimeError("Caught RuntimeError in DataLoader worker process 0.")

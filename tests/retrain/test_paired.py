"""Arms are paired: one seed gives every arm the same initial weights, and arms of one size the same order of images."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tasks.contracts.artifact import Artifact
from tasks.contracts.task import Task
from tasks.datasets.images import read_image
from tasks.datasets.table import SampleTable
from tasks.retrain import worker
from tasks.retrain.config import TrainingConfig, Weights
from tasks.retrain.job import TrainJob
from tasks.store.digest import file_sha256
from tasks.store.files import write_png
from tasks.store.recipe import Recipe
from tasks.store.store import Store

CONFIGS = {
    "detection": "configs/networks/detection/efficientnet_lite0_atss.py",
    "segmentation": "configs/networks/segmentation/efficientnet_lite0_fpn.py",
}


@dataclass
class Beginning(Exception):
    """How a training begins: weights before the first iteration, and the first eight images' indices as drawn."""

    weights: dict[str, torch.Tensor]
    drawn: list[int]

    def same_weights(self, other: "Beginning") -> bool:
        return self.weights.keys() == other.weights.keys() and all(
            torch.equal(self.weights[k], other.weights[k]) for k in self.weights
        )


class StopAtBeginning(Hook):
    def before_train(self, runner: Runner) -> None:
        drawn = [index for _, index in islice(iter(runner.train_dataloader.sampler), 8)]
        raise Beginning({k: v.clone() for k, v in runner.model.state_dict().items()}, drawn)


Begin = Callable[..., Beginning]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Begin a training as the worker does, in this process, and tell how it began."""
    build = Runner.from_cfg

    def stopping(cfg: Any) -> Runner:
        runner = build(cfg)
        runner.register_hook(StopAtBeginning())
        return runner

    monkeypatch.setattr(worker.Runner, "from_cfg", stopping)
    monkeypatch.setattr(worker.Config, "pretty_text", "")  # formatting the log's text takes most of the time

    def run(task: Task, seed: int, *sets: Artifact, init: Weights | None = None) -> Beginning:
        job = job_of(task, seed, tuple(s.path for s in sets), tmp_path, init)
        with pytest.raises(Beginning) as begun:
            worker.train(job)
        return begun.value

    return run


def job_of(task: Task, seed: int, tables: tuple[Path, ...], folder: Path, init: Weights | None) -> TrainJob:
    work = folder / f"{len(list(folder.iterdir()))}"
    work.mkdir()
    training = TrainingConfig(config=CONFIGS[task], iterations=4, batch=2, input_size=(64, 64), init=init)
    return TrainJob(task=task, training=training, tables=tables, seed=seed, work=work, loaders=0, device="cpu")


@pytest.fixture(scope="session")
def negatives(squares: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The squares as a translator would leave them: other pixels under the same names, the same labels."""
    folder = tmp_path_factory.mktemp("negatives")

    def make(work: Path) -> None:
        table = SampleTable.read(squares.path)
        for sample in table:
            write_png(folder / f"{sample.image.stem}.png", 255 - read_image(sample.image))
        moved = [replace(s, image=folder / f"{s.image.stem}.png") for s in table]
        SampleTable.from_samples(moved, table.info, work).write(work)

    return Store(folder / "store").build(Recipe("translated", config={}, inputs={}, code="1"), make)


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_one_seed_pairs_the_arms_and_another_does_not(
    task: Task, squares: Artifact, negatives: Artifact, begin: Begin
) -> None:
    source, translated = begin(task, 0, squares), begin(task, 0, negatives)
    mixed, other = begin(task, 0, squares, negatives), begin(task, 1, squares)
    assert len(source.weights) > 50
    assert source.same_weights(translated), "the images changed the initial weights"
    assert source.same_weights(mixed), "the number of images changed the initial weights"
    assert not source.same_weights(other)
    assert sorted(source.drawn) == list(range(8))
    assert source.drawn == translated.drawn
    assert source.drawn != other.drawn


def test_given_initial_weights_are_what_a_training_begins_with(squares: Artifact, begin: Begin, tmp_path: Path) -> None:
    given = begin("segmentation", 0, squares).weights
    path = tmp_path / "given.pth"
    torch.save({"state_dict": given}, path)
    init = Weights(path=path, sha256=file_sha256(path))
    begun = begin("segmentation", 1, squares, init=init).weights
    assert [k for k in given if not torch.equal(given[k], begun[k])] == []

"""Trainings on sets in a ratio and one after the other: what they are fed, and that a crash does not change them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.contracts.task import Task
from tasks.datasets.table import SampleTable
from tasks.retrain import worker
from tasks.retrain.config import TrainingConfig
from tasks.retrain.configuration import train_config
from tasks.retrain.job import TrainJob

CONFIGS = {
    "detection": "configs/networks/detection/efficientnet_lite0_atss.py",
    "segmentation": "configs/networks/segmentation/efficientnet_lite0_fpn.py",
}
ITERATIONS, BATCH = 6, 4
Train = Callable[..., Path]


class Stop(Exception):
    """What ends a training as a crash does."""


class StopAfter(Hook):
    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.iteration:
            raise Stop


@pytest.fixture(scope="module")
def other(squares: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five of the squares under other names, as a set of its own."""
    folder, table = tmp_path_factory.mktemp("other"), SampleTable.read(squares.path)
    SampleTable.from_samples([replace(s, id=f"o{s.id}") for s in table][:5], table.info, folder).write(folder)
    return folder


@pytest.fixture
def train(squares: Artifact, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train an arm of ``real`` (the squares) and ``source`` (the other set) in this process; or until it crashes."""
    monkeypatch.setattr(worker.Config, "pretty_text", "")  # formatting the log's text takes most of the time
    build = Runner.from_cfg

    def run(name: str, task: Task, folder: str, until: int | None = None) -> Path:
        arm = Arm(name)
        work = tmp_path / folder
        work.mkdir(exist_ok=True)
        tables = tuple(squares.path if part.has_real else other for part in arm.parts)
        training = TrainingConfig(
            config=CONFIGS[task],
            iterations=ITERATIONS,
            batch=BATCH,
            input_size=(64, 64),
            log_every=1,
            checkpoint_every=2,
        )
        places = {"tables": tables, "work": work, "device": "cpu"}

        def built(cfg: Any) -> Runner:
            runner = build(cfg)
            if until is not None:
                runner.register_hook(StopAfter(until))
            return runner

        monkeypatch.setattr(worker.Runner, "from_cfg", built)
        worker.train(TrainJob(task=task, training=training, drawing=arm.drawing, seed=3, loaders=0, **places))
        return work

    return run


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_a_resumed_training_of_phases_is_the_undisturbed_one(task: Task, train: Train) -> None:
    name = "source(augmented) then 3 real[6] + 1 source(augmented)"
    whole = train(name, task, "whole")
    with pytest.raises(Stop):
        train(name, task, "resumed", until=5)  # its second phase begins at iteration 3, its last checkpoint is of 4
    again = train(name, task, "resumed")
    for file in ("checkpoint.pth", "curve.json", "card.json", "config.py"):
        assert again.joinpath(file).read_bytes() == whole.joinpath(file).read_bytes(), file

    card = json.loads((whole / "card.json").read_text())
    assert [told["images"] for told in card["train_sets"]] == [6, 5]
    assert [told["share"] for told in card["train_sets"]] == [0.375, 0.625]  # three of four in the second half
    assert card["train_images"] == 11


def test_each_set_is_read_as_the_arm_says(squares: Artifact, other: Path, tmp_path: Path) -> None:
    arm = Arm("3 real[6] + 1 source(augmented)")
    training = TrainingConfig(config=CONFIGS["segmentation"], iterations=6, batch=4)
    places = {"tables": (squares.path, other), "work": tmp_path, "device": "cpu"}
    cfg = train_config(
        TrainJob(task="segmentation", training=training, drawing=arm.drawing, seed=3, loaders=0, **places)
    )
    real, source = cfg.train_dataloader.dataset.dataset.datasets
    assert (real.images, source.images, real.seed) == (6, None, 3)
    steps = [[step["type"] for step in of.pipeline] for of in (real, source)]
    assert [step for step in steps[1] if step not in steps[0]] == ["StrongPhotometric"]
    assert cfg.train_dataloader.sampler.phases == [{"images": 24, "sets": [0, 1], "ratio": [3, 1]}]

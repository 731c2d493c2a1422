"""Validation of a translator in training: what is measured, which step is kept, when it ends, and what is shown."""

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import nn

from tasks.contracts.artifact import Artifact
from tasks.contracts.translator_card import TranslatorCard
from tasks.datasets.colour import cielab, colour_statistics
from tasks.datasets.images import read_image
from tasks.datasets.set_distances import frechet_distance
from tasks.datasets.table import SampleTable
from tasks.store.files import write_json
from tasks.translate.errors import TranslatorError
from tasks.translate.job import JudgeJob, TranslatorJob
from tasks.translate.make_translator import TrainedJudge, translator_recipe
from tasks.translate.networks.pooled import pooled_efficientnet, resized
from tasks.translate.outcome import outcome
from tasks.translate.training import fixed_images, worker
from tasks.translate.training.fixed_images import FixedImages
from tasks.translate.training.trainer import Trainer

CPU = torch.device("cpu")
WITH = {"every": 2, "images": 3}


@pytest.fixture
def sets(make_table) -> tuple[SampleTable, SampleTable]:
    return make_table("source", 4, mean=90), make_table("target", 5, mean=160)


@pytest.fixture
def by_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are described by their mean colour."""
    monkeypatch.setattr(fixed_images, "pooled_efficientnet", lambda _: lambda x: x.mean(axis=(1, 2)) / np.float32(255))


class Brighter(nn.Module):
    """A translator with one parameter."""

    def __init__(self, by: float = 0.0) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + self.by).clamp(-1, 1)


Plant = Callable[..., Trainer]


@pytest.fixture
def plant(sets, make_cut, tmp_path) -> Plant:
    """A training whose generator, in place of learning, becomes brighter as is told: by so much after each step."""

    def make(by: list[float], name: str = "t", judge: Any = None, **training: Any) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        config = make_cut(**{"iterations": len(by), "checkpoint_every": 2, **training})
        trainer = Trainer(config, *sets, tmp_path / name, "cpu", judge=judge)
        trainer.average = Brighter()

        def step(number: int, *_: Any) -> dict[str, torch.Tensor]:
            trainer.average.by.fill_(by[number])
            return {"loss": torch.tensor(float(number))}

        trainer.train_step = step  # type: ignore[method-assign]
        return trainer

    return make


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def validated(folder: Path) -> list[int]:
    return [e["step"] for e in entries(folder) if "validation" in e]


# What is measured


def test_measures_are_those_of_their_formulas(sets, make_cut) -> None:
    images = FixedImages(make_cut(validation={"every": 2, "images": 4}), *sets, CPU, None)
    describe = pooled_efficientnet()
    real = [read_image(s.image) for s in images._target]
    y = np.stack([describe(resized(i)[None])[0] for i in real]).astype(np.float64)
    found = {}
    for by in (0.0, 0.21, 0.5):
        made = [np.clip(np.round(read_image(s.image) + 127.5 * by), 0, 255).astype(np.uint8) for s in images._source]
        x = np.stack([describe(resized(i)[None])[0] for i in made]).astype(np.float64)

        def kernel(a: np.ndarray, b: np.ndarray) -> float:
            return float((a @ b / len(a) + 1) ** 3)

        pairs = list(itertools.permutations(range(4), 2))
        within = sum(np.mean([kernel(z[i], z[j]) for i, j in pairs]) for z in (x, y))
        across = np.mean([kernel(a, b) for a in x for b in y])
        found[by] = images.look(1, Brighter(by))[0]
        assert found[by].distance == pytest.approx(within - 2 * across, abs=2e-6)
        colours = [np.stack([colour_statistics(cielab(i)) for i in side]) for side in (made, real)]
        assert found[by].colour == pytest.approx(frechet_distance(*colours), abs=1e-5)
        assert found[by].accuracy is None
    assert found[0.0].distance > found[0.21].distance > found[0.5].distance
    assert found[0.0].colour > found[0.21].colour > found[0.5].colour
    own = images.look(0, None)[0]
    assert (own.distance, own.colour) == (found[0.0].distance, found[0.0].colour)


def test_accuracy_counts_labelled_pixels_alone(sets, make_cut, by_colour) -> None:
    source, target = sets
    for k, sample in enumerate(source):  # road is 0; what is not listed is not labelled
        mask = np.full((36, 40), 9, np.uint8)
        mask[: 9 * (k + 1)] = 0
        cv2.imwrite(str(sample.mask), mask)
    shown = []

    def judge(image: np.ndarray) -> np.ndarray:
        shown.append(image.mean())
        return np.broadcast_to(np.uint8([0, 1, 0, 1, 0]).repeat(8), image.shape[:2])  # three columns of five

    images = FixedImages(make_cut(validation={"every": 1, "images": 4, "judge": True}), source, target, CPU, judge)
    assert images.look(1, Brighter(0.4))[0].accuracy == pytest.approx(0.6)
    assert len(shown) == 4, "the target is not judged"
    assert min(shown) > 120, "translations are"


def test_images_are_those_of_the_seed(sets, make_cut) -> None:
    def drawn(seed: int) -> list[str]:
        images = FixedImages(make_cut(seed=seed, validation={"every": 1, "images": 2}), *sets, CPU, None)
        return [s.id for s in (*images._source, *images._target)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(6)}) > 1


def test_settings_that_cannot_be_met(sets, make_cut) -> None:
    with pytest.raises(ValidationError, match=r"validation.every 7: the training has 6 iterations: lower it"):
        make_cut(validation={"every": 7})
    with pytest.raises(TranslatorError, match=r"validation.images: 5 of the source set, which has 4 for it: lower it"):
        FixedImages(make_cut(validation={"every": 2, "images": 5}), *sets, CPU, None)
    with pytest.raises(TranslatorError, match=r"validation.judge: this training is given no judge"):
        FixedImages(make_cut(validation={"every": 2, "judge": True, "images": 2}), *sets, CPU, None)


# What follows from it


def test_validation_changes_no_bit_and_survives_a_crash(sets, make_cut, crash, tmp_path) -> None:
    def trainer(name: str, **training: Any) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return Trainer(make_cut(**training), *sets, tmp_path / name, "cpu")

    trainer("plain").run()
    trainer("whole", validation=WITH).run()
    crash(trainer("cut", validation=WITH), 5)
    assert len(validated(tmp_path / "cut")) == 3
    trainer("cut", validation=WITH).run()
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for name in ("weights.safetensors", "log.jsonl", "card.json", "strip.png", "samples/0000006.png"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name
    plain = tmp_path / "plain"
    assert (whole / "weights.safetensors").read_bytes() == (plain / "weights.safetensors").read_bytes()
    assert [e for e in entries(whole) if "validation" not in e] == entries(plain)
    assert validated(whole) == [0, 2, 4, 6]
    assert not {p.name for p in whole.iterdir()} & {"validation", "checkpoints"}


@pytest.mark.parametrize("at", [None, 5, 6])
def test_best_step_is_kept_though_it_becomes_worse(plant, crash, by_colour, tmp_path, at) -> None:
    by = [0.0, 0.2, 0.4, 0.55, 0.8, 0.9, 0.9, 1.0]
    settings = {"validation": {**WITH, "keep": "best"}}
    if at is not None:
        crash(plant(by, **settings), at)
    card = plant(by, **settings).run()
    assert card["kept"].model_dump() == {"step": 4, "why": "closest"}
    assert load_file(tmp_path / "t/weights.safetensors")["by"].item() == pytest.approx(0.55)
    assert TranslatorCard.read(tmp_path / "t").validations == tuple(card["validations"])
    last = plant(by, "last", validation=WITH).run()
    assert last["kept"].model_dump() == {"step": 8, "why": "last"}
    assert load_file(tmp_path / "last/weights.safetensors")["by"].item() == pytest.approx(1.0)
    assert last["validations"] == card["validations"]


def test_training_ends_where_nothing_becomes_better(plant, by_colour, tmp_path) -> None:
    by = [0.0, 0.2, 0.4, 0.55, 0.8, 0.9, 0.9, 1.0, 0.55, 0.55]
    card = plant(by, validation={"every": 1, "images": 3, "keep": "best", "patience": 3}).run()
    assert card["iterations"] == 7
    assert card["kept"].step == 4
    assert card["losses"] == {"loss": 6.0}
    assert (tmp_path / "t/samples/0000007.png").exists()
    assert plant(by, "never", validation={"every": 1, "images": 3}).run()["iterations"] == 10


def test_rollback_voids_what_was_found_later(plant, by_colour, tmp_path) -> None:
    trainer = plant([0.1, 0.2, 0.3, 0.4, 0.5, 0.55], validation={"every": 1, "images": 3, "keep": "best"})
    step = trainer.train_step

    def poisoned(number: int, *crops: Any) -> dict[str, torch.Tensor]:
        values = step(number, *crops)
        if trainer.rollbacks:
            return values
        if number == 2:
            trainer.average.by.fill_(0.55)  # what is found of this step never counts
        return {"loss": torch.tensor(float("nan"))} if number == 3 else values

    trainer.train_step = poisoned  # type: ignore[method-assign]
    card = trainer.run()
    assert [r["step"] for r in card["rollbacks"]] == [2]
    assert [v.step for v in card["validations"]] == validated(tmp_path / "t") == [0, 1, 2, 3, 4, 5, 6]
    distances = [v.distance for v in card["validations"]]
    assert distances == sorted(distances, reverse=True)
    assert card["kept"].step == 6


def test_a_judge_decides_between_steps(plant, by_colour, tmp_path) -> None:
    def judge(image: np.ndarray) -> np.ndarray:
        return np.where(image.mean(axis=2) < 170, 0, 1).astype(np.uint8)  # what is too bright is no road to it

    by = [0.0, 0.2, 0.45, 0.55]
    judged = {"every": 1, "images": 3, "judge": True}
    card = plant(by, judge=judge, validation=judged).run()
    own, *accuracies = (v.accuracy for v in card["validations"])
    assert own == accuracies[0] > 0.97
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[2] < own - 0.02
    assert card["kept"].model_dump() == {"step": 2, "why": "closest"}, "with a judge the best is kept by default"
    assert plant(by, "far", judge, validation={**judged, "margin": 1}).run()["kept"].step == 4


def test_a_worker_loads_its_judge_by_name(sets, make_cut, tmp_path, monkeypatch) -> None:
    loaded = []

    def load(model: Path, device: str) -> Any:
        loaded.append((model, device))
        return lambda image: np.zeros(image.shape[:2], np.uint8)

    monkeypatch.setitem(sys.modules, "a_judge", SimpleNamespace(load=load))
    for side, table in zip(("source", "target"), sets, strict=True):
        table.write(tmp_path / side)
    config = make_cut(iterations=1, validation={"every": 1, "images": 2, "judge": True})
    (work := tmp_path / "work").mkdir()
    places = {"source": tmp_path / "source", "target": tmp_path / "target", "work": work}
    judge = JudgeJob(model=tmp_path / "model", module="a_judge")
    job = TranslatorJob(translator=config, inputs={"judge": "digest"}, judge=judge, **places)
    write_json(work / "job.json", job.model_dump(mode="json"))
    assert worker.main(work / "job.json") == 0
    assert loaded == [(tmp_path / "model", "cpu")]
    card = TranslatorCard.read(work)
    assert [v.accuracy for v in card.validations] == [1, 1]
    assert (card.kept.step, card.model_extra["judge"]) == (1, "digest")


def test_the_judge_and_its_code_count_for_the_key(make_cut) -> None:
    def artifact(name: str) -> Artifact:
        return Artifact(kind="any", key=name, digest=name, path=Path(name), seconds=0, cached=False)

    config, sides = make_cut(validation={"every": 1, "judge": True}), (artifact("source"), artifact("target"))
    one, other = (
        translator_recipe(config, *sides, TrainedJudge(artifact(name), "tasks.evaluate.frozen_judge"))
        for name in ("one", "other")
    )
    elsewhere = translator_recipe(config, *sides, TrainedJudge(artifact("one"), "tasks.evaluate.segmentation"))
    assert len({one.key, other.key, elsewhere.key, translator_recipe(config, *sides).key}) == 4
    assert one.inputs["judge"].digest == "one"
    assert one.code == other.code != elsewhere.code


# What is shown


def test_strip_and_outcome(plant, by_colour, tmp_path) -> None:
    by = [0.05 * k for k in range(1, 13)]
    plant(by, validation={"every": 1, "images": 4, "keep": "best"}).run()
    kept = TranslatorCard.read(tmp_path / "t").kept
    strip = read_image(tmp_path / "t/strip.png")
    assert strip.shape == (20 + 3 * 180, 8 * 204, 3)
    columns = np.hsplit(strip[20:, :], 8)
    means = [column[:, :200].mean() for column in columns]
    assert means[:7] == sorted(means[:7]), "the source, and ever brighter translations"
    green = [int((column[17, 10] == (20, 130, 60)).all()) for column in np.hsplit(strip, 8)]
    assert sum(green) == 1, "the kept step is marked"
    text = outcome(tmp_path / "t")
    assert f"The weights are those of step {kept.step}" in text
    assert "| step | distance | colour |" in text
    assert "![validation](data:image/jpeg;base64," in text
    assert "| step | loss |" in text

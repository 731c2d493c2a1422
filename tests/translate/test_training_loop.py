"""The training loop's extras: class-aware crops, accumulation, rollback, several processes, compilation, curves."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from tasks.compute.config import ComputeConfig
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.files import write_json
from tasks.store.manifest import Manifest
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.errors import SetbackError, TranslatorError
from tasks.translate.job import TranslatorJob
from tasks.translate.methods.base import Batch
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.outcome import outcome
from tasks.translate.stage import train_translator
from tasks.translate.training.board import Board
from tasks.translate.training.compiling import compile_generator
from tasks.translate.training.crops import TrainingImages, crop_batches
from tasks.translate.training.trainer import Trainer
from tasks.translate.training.vitals import check_vitals, measure_vitals

ROOT = Path(__file__).parents[2]
RED, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture
def street(tmp_path: Path) -> SampleTable:
    """Six 96x64 images of road: one shows a red sign, another a green object in a small box, a third a large box."""
    info = TableInfo(
        dataset="street",
        classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(("road", "sign", "train"))),
        detection=("car",),
        encoding=MaskEncoding(kind="index", indices={7: 0, 8: 1, 9: 2}),
        boxes_from="annotated",
    )
    samples = []
    for k in range(6):
        image, mask = np.full((64, 96, 3), 90, np.uint8), np.full((64, 96), 7, np.uint8)
        boxes: tuple[Box, ...] = (Box(0, 1, 1, 90, 60),) if k == 4 else ()
        if k == 1:
            image[3:6, 90:93], mask[3:6, 90:93] = RED, 8
        if k == 3:
            image[40:48, 4:10] = GREEN
            boxes = (Box(0, 4, 40, 10, 48), Box(0, 60, 20, 64, 24, crowd=True))
        paths = tmp_path / f"{k}.png", tmp_path / f"{k}_mask.png"
        cv2.imwrite(str(paths[0]), image[..., ::-1])
        cv2.imwrite(str(paths[1]), mask)
        pixels = tuple(int((mask == value).sum()) for value in (7, 8, 9))
        labels = {"mask_sha256": "0", "boxes": boxes, "class_pixels": pixels}
        samples.append(Sample(f"{k}", *paths, 96, 64, "train", "0", **labels))
    return SampleTable.from_samples(samples, info, tmp_path)


@pytest.fixture
def sets(make_table):
    return make_table("source", 3, mean=90), make_table("target", 5, mean=160)


def _trainer(config, sets, folder: Path, **arguments) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(config, *sets, folder, "cpu", **arguments)


def _pixels(crop: np.ndarray, color: tuple[int, int, int]) -> int:
    return int((abs(crop.astype(int) - color).max(axis=2) < 60).sum())


def _entries(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# Class-aware crops


@pytest.mark.parametrize("width", [None, 192])
def test_focused_crops_show_what_they_were_placed_on(street, make_cut, width) -> None:
    side = TrainingImages.of("source", street, make_cut(crops="classes", width=width).training)
    seen: dict[str, int] = {"sign": 0, "box": 0, "road": 0, "nothing": 0}
    for position in range(200):
        spot = side.focus.spot(position)
        crop = side.crop(position)
        if spot is None:
            seen["nothing"] += 1
        elif spot.x2 > spot.x1:
            seen["box"] += 1
            assert spot.index == 3, "neither the large box nor the crowd"
            whole = 48 if width is None else 4 * 48
            assert abs(_pixels(crop, GREEN) - whole) < 0.5 * whole
        elif spot.index == 1 and 3 / 64 < spot.y1 < 6 / 64 and 90 / 96 < spot.x1 < 93 / 96:
            seen["sign"] += 1
            assert _pixels(crop, RED) > 0
        else:
            seen["road"] += 1
    # A class below a thousandth of the pixels counts as a thousandth; the box has 1.3 thousandths.
    assert 80 < seen["nothing"] < 120
    assert 30 < seen["box"] < seen["sign"] < 80
    assert seen["road"] < 5


def test_rare_classes_are_seen_more_often(street, make_cut) -> None:
    def share(crops: str, color: tuple[int, int, int]) -> float:
        side = TrainingImages.of("source", street, make_cut(crops=crops).training)
        return float(np.mean([_pixels(side.crop(p), color) > 0 for p in range(120)]))

    for color in (RED, GREEN):
        assert share("uniform", color) < 0.1 < 0.15 < share("classes", color)


def test_crops_do_not_depend_on_what_was_read_before(street, make_cut) -> None:
    training = make_cut(crops="classes").training
    forth, back = TrainingImages.of("source", street, training), TrainingImages.of("source", street, training)
    there = [forth.crop(p).tobytes() for p in range(40)]
    assert there == [back.crop(p).tobytes() for p in reversed(range(40))][::-1]
    assert there != [TrainingImages.of("target", street, training).crop(p).tobytes() for p in range(40)]


def test_sets_without_labels(street, make_table, make_cut) -> None:
    training, plain = make_cut(crops="classes").training, make_table("plain")
    with pytest.raises(
        TranslatorError, match=r"training.crops: 'classes' needs masks or small boxes, and noise has none"
    ):
        TrainingImages.of("source", plain.take([0]), training)
    assert TrainingImages.of("target", plain.take([0]), training).focus is None
    assert TrainingImages.of("target", plain, training).focus is not None, "its small boxes are enough"
    assert TrainingImages.of("source", street, make_cut().training).focus is None


# Accumulation and several processes


def test_ranks_share_each_batch(sets, make_cut) -> None:
    training = make_cut(batch=4, accumulate=2).training
    source, target = (
        TrainingImages.of(name, table, training) for name, table in zip(("source", "target"), sets, strict=True)
    )
    whole = {step: s for step, s, _ in crop_batches(source, target, range(2))}
    for rank, places in enumerate(([0, 1, 4, 5], [2, 3, 6, 7])):
        for step, crops, _ in crop_batches(source, target, range(2), rank, 2):
            assert np.array_equal(crops, whole[step][places])
    assert np.array_equal(whole[1][0], source.crop(8))


@pytest.mark.parametrize("fast", [True, False])
def test_accumulated_gradients_are_those_of_one_batch(sets, make_cut, tmp_path, fast) -> None:
    gradients, losses = [], []
    for name, batch, accumulate in (("one", 4, 1), ("four", 1, 4), ("two", 2, 2)):
        config = make_cut(fast, batch=batch, accumulate=accumulate, iterations=1)
        trainer = _trainer(config, sets, tmp_path / name)
        # Rounding would hide what is wrong: InstanceNorm of noise has large gradients.
        trainer.networks.double(), trainer.average.double()
        method = trainer.learner.losses
        trainer.learner.losses = lambda b, m=method: m(Batch(b.source.double(), b.target.double(), b.rng, b.step))
        crops = next(crop_batches(trainer.source, trainer.target, range(1)))
        losses.append({n: v.item() for n, v in trainer.train_step(*crops).items()})
        gradients.append(torch.cat([p.grad.flatten() for p in trainer.networks.parameters()]))
    size = gradients[0].norm()
    for other in gradients[1:]:
        assert (other - gradients[0]).norm() < 1e-6 * size
    assert losses[1:] == [pytest.approx(losses[0], abs=1e-6)] * 2


@pytest.fixture
def job(sets, make_cut, tmp_path) -> Callable[..., Path]:
    """A function that writes a training's job file; keywords go to its ``training`` section."""

    def write(name: str, **training) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        places = {"source": tmp_path / "source", "target": tmp_path / "target", "work": folder}
        for side, table in zip(("source", "target"), sets, strict=True):
            table.write(places[side])
        whole = TranslatorJob(translator=make_cut(**training), inputs={}, board=folder / "board", **places)
        write_json(folder / "job.json", whole.model_dump(mode="json"))
        return folder / "job.json"

    return write


def _run(*command: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, *map(str, command)]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


_WORKER = "tasks.translate.training.worker"
_START = """
import sys
from pathlib import Path
from tasks.datasets.table import SampleTable
from tasks.translate.training.distributed import joined
from tasks.translate.job import TranslatorJob
from tasks.translate.training.trainer import Trainer

job = TranslatorJob.model_validate_json(Path(sys.argv[1]).read_text())
with joined(2, [sys.executable, *sys.argv[2:]]) as ranks:
    sets = SampleTable.read(job.source), SampleTable.read(job.target)
    Trainer(job.translator, *sets, job.work, board=job.board, ranks=ranks).run()
"""


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["torchrun", "own"])
def test_two_processes_train_as_one_with_their_whole_batch(sets, make_cut, job, tmp_path, launcher) -> None:
    config = {"fast": False, "batch": 2, "iterations": 4, "accumulate": 2}
    one = _trainer(make_cut(**config), sets, tmp_path / "one").run()
    path = job("two", **config)
    if launcher == "torchrun":
        told = _run("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", _WORKER, path)
    else:
        told = _run("-c", _START, path, "-m", _WORKER, path)
    assert told.returncode == 0, told.stdout + told.stderr
    two = json.loads((tmp_path / "two/card.json").read_text())
    assert (one["processes"], two["processes"]) == (1, 2)
    a, b = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    for name, weight in a.items():
        # A bias before InstanceNorm has no gradient but noise, of which Adam makes whole steps.
        if weight.ndim > 1:
            assert torch.allclose(weight, b[name], atol=1e-5), name
    for x, y in zip(*(_entries(tmp_path / name / "log.jsonl") for name in ("one", "two")), strict=True):
        assert x == pytest.approx(y, abs=1e-4)
    assert len(_curve(tmp_path / "two/board")) == 4


@pytest.mark.slow
def test_process_that_dies_takes_the_others_with_it(job) -> None:
    told = _run("-c", _START, job("two", batch=2, iterations=10**6), "-c", "import sys; sys.exit('out of memory')")
    assert told.returncode == 2
    assert told.stderr.strip().endswith("out of memory")


@pytest.mark.slow
def test_processes_roll_back_together(job, tmp_path) -> None:
    path = job("two", batch=2, lr=1e37, checkpoint_every=1)
    told = _run("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", _WORKER, path)
    assert told.returncode != 0
    assert "error: loss" in told.stdout
    assert "after 3 rollbacks" in told.stdout
    assert [e["lr_factor"] for e in _entries(tmp_path / "two/log.jsonl") if "rollback" in e] == [0.5, 0.25, 0.125]


# Rollback


def _poison(trainer: Trainer, step: int, times: int = 1) -> None:
    """Let a loss be NaN at a step until the training was rolled back so often."""
    losses = trainer.learner.losses

    def poisoned(batch):
        bad = batch.step == step and len(trainer.rollbacks) < times
        for name, values in losses(batch):
            yield name, {k: v * float("nan") if bad and k == "nce" else v for k, v in values.items()}

    trainer.learner.losses = poisoned


def test_nan_is_rolled_back_at_half_the_rate(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(iterations=8, decay=0), sets, tmp_path / "t", board=tmp_path / "board")
    _poison(trainer, 5, times=2)
    steps = []
    train = trainer.train_step
    trainer.train_step = lambda step, *crops: (steps.append(step), train(step, *crops))[1]
    card = trainer.run()
    assert steps == [0, 1, 2, 3, 4, 5, 4, 5, 4, 5, 6, 7]
    why = "loss 'nce' is nan at step 6"
    rollbacks = [{"step": 4, "rollback": why, "lr_factor": factor} for factor in (0.5, 0.25)]
    assert card["rollbacks"] == rollbacks
    entries = _entries(tmp_path / "t/log.jsonl")
    assert [e["step"] for e in entries] == [1, 2, 3, 4, 4, 4, 5, 6, 7, 8]
    assert entries[4:6] == rollbacks
    assert trainer.optimisers["generator"].param_groups[0]["lr"] == 2e-4 / 4
    assert all(t.isfinite().all() for t in load_file(tmp_path / "t/weights.safetensors").values())
    assert _curve(tmp_path / "board") == [(e["step"], pytest.approx(e["nce"])) for e in entries if "nce" in e]


def test_nan_before_the_first_checkpoint_starts_again(sets, make_cut, tmp_path) -> None:
    config = make_cut(iterations=3, checkpoint_every=100)
    trainer = _trainer(config, sets, tmp_path / "t")
    _poison(trainer, 1)
    assert [r["step"] for r in trainer.run()["rollbacks"]] == [0]
    slow = make_cut(iterations=3, lr=1e-4)
    _trainer(slow, sets, tmp_path / "slow").run()
    a, b = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("t", "slow"))
    assert a == b, "as if it had begun at half the rate"


def test_crash_after_a_rollback_resumes_at_its_rate(sets, street, make_cut, crash, tmp_path) -> None:
    config = make_cut(iterations=8, crops="classes", accumulate=2)
    sets = (street, sets[1])
    for name in ("whole", "cut"):
        trainer = _trainer(config, sets, tmp_path / name)
        _poison(trainer, 3)
        if name == "whole":
            trainer.run()
            continue
        crash(trainer, 5)
        resumed = _trainer(config, sets, tmp_path / name)
        _poison(resumed, 3)
        assert resumed.run()["rollbacks"][0]["step"] == 2
    for name in ("weights.safetensors", "log.jsonl", "samples/0000008.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_training_that_always_diverges_ends_with_its_reason(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(lr=1e37), sets, tmp_path / "t")
    with pytest.raises(TranslatorError, match=r"loss '\w+' is nan at step \d, after 3 rollbacks .* lower training.lr"):
        trainer.run()
    assert [r["lr_factor"] for r in trainer.rollbacks] == [0.5, 0.25, 0.125]


def test_collapsed_generator_is_rolled_back(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(iterations=6, lr=1e-3), sets, tmp_path / "t")
    losses = trainer.learner.losses

    def collapsing(batch):
        yield from losses(batch)
        if batch.step == 3 and not trainer.rollbacks:
            with torch.no_grad():
                for parameter in trainer.networks["generator"].layers[-2].parameters():
                    parameter.zero_()

    trainer.learner.losses = collapsing
    card = trainer.run()
    why = "collapse at step 4: the translations' spread within an image is 0.0% of the source's"
    assert card["rollbacks"] == [{"step": 2, "rollback": why, "lr_factor": 0.5}]
    assert min(card["variety"].values()) > 0.1


class _Constant(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3), keepdim=True).expand_as(x)


class _SamePicture(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:1].expand_as(x)


def test_vitals_tell_collapse_from_health() -> None:
    probe = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    state = {"networks": {"a": torch.ones(2)}, "log": [[1, {"nce": 2.0}]], "rollbacks": [{"rollback": "why"}]}

    def check(network: nn.Module, inputs: torch.Tensor = probe, state: dict = state) -> dict[str, float]:
        return check_vitals(measure_vitals(network, inputs, state), 5)

    assert check(nn.Identity()) == {"within": 1, "between": 1}
    with pytest.raises(SetbackError, match=r"collapse at step 5: .* within an image is 0.0%"):
        check(_Constant())
    with pytest.raises(SetbackError, match=r"collapse at step 5: .* between images is 0.0%"):
        check(_SamePicture())
    assert check(_SamePicture(), probe[:1].expand(6, -1, -1, -1))["between"] == 1, "one image is all there is"
    with pytest.raises(SetbackError, match="not finite at step 5"):
        check(nn.Identity(), state={"optimisers": {"a": {"state": {0: [torch.tensor([1.0, torch.inf])]}}}})


# Compilation


def test_compiled_generator_computes_the_same(caplog) -> None:
    torch.manual_seed(0)
    network = ResnetGenerator(4, 1)
    x = torch.rand(1, 3, 32, 32)
    plain = [network(x), *network.encode(x, (0, 12)), network.translate_and_encode(x, (4,))[0]]
    names = set(network.state_dict())
    assert compile_generator(network, x, backend="eager")
    assert set(network.__dict__) >= {"forward", "encode", "translate_and_encode"}
    compiled = [network(x), *network.encode(x, (0, 12)), network.translate_and_encode(x, (4,))[0]]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(plain, compiled, strict=True))
    assert set(network.state_dict()) == names
    assert all(p.grad is None for p in network.parameters())

    other = ResnetGenerator(4, 1)
    assert not compile_generator(other, x, backend=_no_compiler)
    assert "forward" not in other.__dict__
    assert other(x).shape == x.shape
    assert "the generator is not compiled" in caplog.text


def _no_compiler(*_: object) -> None:
    raise OSError("there is no C++ compiler")


@pytest.mark.slow
def test_compiled_training_resumes_with_the_same_bits(sets, make_cut, crash, tmp_path) -> None:
    config = make_cut(compile=True)
    _trainer(config, sets, tmp_path / "whole").run()
    trainer = _trainer(config, sets, tmp_path / "cut")
    crash(trainer, 5)
    resumed = _trainer(config, sets, tmp_path / "cut")
    resumed.run()
    assert "forward" in resumed.networks["generator"].__dict__, "compilation did not fail"
    _trainer(make_cut(), sets, tmp_path / "plain").run()
    whole, cut, plain = (tmp_path / name for name in ("whole", "cut", "plain"))
    assert (whole / "weights.safetensors").read_bytes() == (cut / "weights.safetensors").read_bytes()
    for a, b in zip(_entries(whole / "log.jsonl"), _entries(plain / "log.jsonl"), strict=True):
        assert a == pytest.approx(b, rel=0.02)


# Curves


def _curve(folder: Path, tag: str = "loss/nce") -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), {"scalars": 0})
    events.Reload()
    return [(e.step, e.value) for e in events.Scalars(tag)]


def test_curves_of_a_resumed_training_have_each_step_once(sets, make_cut, crash, tmp_path) -> None:
    config = make_cut()
    trainer = _trainer(config, sets, tmp_path / "t", board=tmp_path / "board")
    crash(trainer, 5)
    _trainer(config, sets, tmp_path / "t", board=tmp_path / "board").run()
    lines = [(e["step"], pytest.approx(e["nce"])) for e in _entries(tmp_path / "t/log.jsonl")]
    assert len(lines) == 6
    assert _curve(tmp_path / "board") == lines
    assert not list((tmp_path / "t").rglob("*tfevents*")), "they would change the artifact's digest"


def test_board_without_a_folder_does_nothing(tmp_path) -> None:
    board = Board(None)
    board.begin(3)
    board.losses(4, {"a": 1.0})
    board.samples(4, tmp_path / "none.png")
    board.close()
    assert not list(tmp_path.iterdir())


def test_outcome_shows_losses_and_samples(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(iterations=40, checkpoint_every=10), sets, tmp_path / "t")
    _poison(trainer, 25)
    trainer.run()
    text = outcome(tmp_path / "t", 2.5)
    assert "40 steps of cut, 2.5 a second (" in text
    assert "**Rolled back** to step 20: loss 'nce' is nan at step 26; lr x 0.5" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[:2] == ["| step | fake | real | gan | nce |", "| ---: | ---: | ---: | ---: | ---: |"]
    assert [int(row.split()[1]) for row in rows[2:]] == [1, 5, 8, 12, 15, 19, 22, 26, 29, 33, 36, 40]
    picture = re.search(r"!\[samples\]\(data:image/jpeg;base64,(.*)\)", text)
    with Image.open(io.BytesIO(base64.b64decode(picture[1]))) as grid:
        assert grid.size == (3 * 44, 3 * 40)


@pytest.mark.slow
def test_training_is_shown_in_prefect(sets, make_cut, tmp_path) -> None:
    from prefect import flow
    from prefect.artifacts import Artifact
    from prefect.testing.utilities import prefect_test_harness

    store = Store(tmp_path / "store")
    source, target = (
        store.build(Recipe(name, config={}, inputs={}, code=""), make=lambda f, t=t: (t.write(f), {})[1])
        for name, t in zip(("source", "target"), sets, strict=True)
    )
    train = flow(train_translator.fn, validate_parameters=False)
    with prefect_test_harness(server_startup_timeout=120):
        trained = train(make_cut(), source, target, ComputeConfig(device="cpu"), store)
        shown = Artifact.get("translator-cut")
    assert shown.data == outcome(trained.path, Manifest.read(trained.path).summary["iterations_per_second"])
    assert not [f.path for f in Manifest.read(trained.path).files if "tfevents" in f.path]
    assert len(_curve(next((tmp_path / "store/.tensorboard").iterdir()))) == 6
    assert [m.kind for m in store.artifacts()] == ["source", "target", "translator"]

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tasks.contracts.translator_card import TranslatorCard
from tasks.datasets.images import PixelError
from tasks.translate.errors import TranslatorError
from tasks.translate.methods.base import linear_decay
from tasks.translate.training import checkpoints
from tasks.translate.training.losslog import LossLog
from tasks.translate.training.trainer import Trainer


def _trainer(config, source, target, folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(config, source, target, folder, "cpu")


@pytest.fixture
def sets(make_table):
    return make_table("source", 3, mean=90), make_table("target", 5, mean=160)


@pytest.mark.parametrize("fast", [True, False])
def test_resumed_training_ends_with_the_same_bits(sets, make_cut, crash, tmp_path, fast) -> None:
    config = make_cut(fast, batch=2)
    whole = _trainer(config, *sets, tmp_path / "whole").run()
    crash(_trainer(config, *sets, tmp_path / "cut"), 5)
    assert sorted(p.name for p in (tmp_path / "cut/checkpoints").iterdir()) == ["00000002.pt", "00000004.pt"]
    resumed = _trainer(config, *sets, tmp_path / "cut")
    trained = []
    train = resumed.train_step
    resumed.train_step = lambda step, *crops: (trained.append(step), train(step, *crops))[1]
    card = resumed.run()

    assert trained == [4, 5]
    for name in ("weights.safetensors", "log.jsonl", "samples/0000003.png", "samples/0000006.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert card["losses"] == whole["losses"]
    assert not (tmp_path / "cut/checkpoints").exists()


def test_truncated_checkpoint_falls_back_to_the_older_one(sets, make_cut, crash, tmp_path) -> None:
    config = make_cut()
    _trainer(config, *sets, tmp_path / "whole").run()
    crash(_trainer(config, *sets, tmp_path / "cut"), 5)
    newest = tmp_path / "cut/checkpoints/00000004.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = _trainer(config, *sets, tmp_path / "cut")
    resumed.resume()
    assert resumed.step == 2
    resumed.run()
    name = "weights.safetensors"
    assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_training_changes_what_it_should(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(), *sets, tmp_path / "t")
    before = {n: {k: v.clone() for k, v in net.state_dict().items()} for n, net in trainer.networks.items()}
    card = trainer.run()
    for name, network in trainer.networks.items():
        assert any(not torch.equal(v, before[name][k]) for k, v in network.state_dict().items()), name
    average = load_file(tmp_path / "t/weights.safetensors")
    generator = dict(trainer.networks["generator"].named_parameters())
    assert average.keys() == generator.keys()
    assert any(not torch.equal(average[k], v) for k, v in generator.items()), "the average lags behind"
    assert card["losses"].keys() == {"fake", "real", "gan", "nce"}
    assert json.loads((tmp_path / "t/card.json").read_text())["iterations"] == 6
    entries = [json.loads(line) for line in (tmp_path / "t/log.jsonl").read_text().splitlines()]
    assert [e["step"] for e in entries] == [1, 2, 3, 4, 5, 6]
    with Image.open(tmp_path / "t/samples/0000006.png") as grid:
        assert grid.size == (3 * 44, 3 * 40)


def test_each_optimiser_moves_its_own_networks_only(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(), *sets, tmp_path / "t")
    before = {n: {k: v.clone() for k, v in net.state_dict().items()} for n, net in trainer.networks.items()}
    networks = trainer.networks
    judged = networks["discriminator"](networks["generator"](torch.rand(1, 3, 32, 32)))
    trainer.optimise("generator", {"gan": judged.mean()}, 1.0)
    changed = {n for n, net in networks.items() if any((v != before[n][k]).any() for k, v in net.state_dict().items())}
    assert changed == {"generator"}
    assert all(p.grad is None for p in networks["discriminator"].parameters()), "nothing computed for nothing"


def test_seed_decides(sets, make_cut, tmp_path) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        _trainer(make_cut(iterations=2, seed=seed), *sets, tmp_path / folder).run()
    a, b, c = ((tmp_path / f / "weights.safetensors").read_bytes() for f in "abc")
    assert a == b != c


def test_loss_that_is_not_finite_stops_before_the_next_checkpoint(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(checkpoint_every=1), *sets, tmp_path / "t")
    losses = trainer.learner.losses

    def poisoned(batch):
        for name, values in losses(batch):
            yield name, {k: v * float("nan") if batch.step == 3 and k == "nce" else v for k, v in values.items()}

    trainer.learner.losses = poisoned
    with pytest.raises(TranslatorError, match=r"loss 'nce' is nan at step 4"):
        trainer.run()
    assert checkpoints.newest(tmp_path / "t", torch.device("cpu"))["step"] == 3


def test_log_averages_and_drops_what_a_resume_repeats(tmp_path) -> None:
    log = LossLog(tmp_path / "log.jsonl", every=2)
    for step in range(5):
        log.add(step, {"a": torch.tensor(float(step))})
    assert [json.loads(x) for x in log.path.read_text().splitlines()] == [{"step": 2, "a": 0.5}, {"step": 4, "a": 2.5}]
    with log.path.open("a") as stream:
        stream.write('{"step": 6, "a')
    log.rewind(3, [[2, {"a": 2.0}]])
    log.add(3, {"a": torch.tensor(4.0)})
    assert [json.loads(x) for x in log.path.read_text().splitlines()] == [{"step": 2, "a": 0.5}, {"step": 4, "a": 3.0}]


def test_crop_larger_than_the_image_names_the_image(sets, make_cut, tmp_path) -> None:
    with pytest.raises(PixelError, match=r"source\d.png: 40x36 at training size.*lower training.crop"):
        _trainer(make_cut(crop=64), *sets, tmp_path / "t").run()


def test_images_smaller_than_the_crops_are_left_out_and_listed(sets, make_table, make_cut, tmp_path, caplog) -> None:
    source = make_table("mixed", sizes=[(40, 36), (20, 36), (40, 36), (40, 31)])
    with caplog.at_level("WARNING"):
        card = _trainer(make_cut(iterations=4), source, sets[1], tmp_path / "t").run()
    assert card["left_out"] == {"source": ("mixed1", "mixed3")}
    assert card["source_images"] == 2
    assert TranslatorCard.read(tmp_path / "t").left_out == card["left_out"]
    assert "2 images smaller than the crops are left out: mixed1, mixed3" in caplog.text
    whole = _trainer(make_cut(iterations=4), source.take([0, 2]), sets[1], tmp_path / "w").run()
    assert whole["losses"] == card["losses"]
    assert "left_out" not in whole


def test_crops_cover_each_epoch_once(sets, make_cut, tmp_path) -> None:
    trainer = _trainer(make_cut(), *sets, tmp_path / "t")
    seen: list[int] = []
    side = trainer.target
    image = side.image
    object.__setattr__(side, "image", lambda index: (seen.append(index), image(index))[1])
    for position in range(10):
        assert side.crop(position).shape == (32, 32, 3)
    assert sorted(seen[:5]) == sorted(seen[5:]) == [0, 1, 2, 3, 4]
    assert seen[:5] != seen[5:]


def test_linear_decay() -> None:
    assert [linear_decay(s, 10, 0.5) for s in (0, 5, 6, 9)] == pytest.approx([1, 1, 0.8, 0.2])
    assert linear_decay(9, 10, 0) == 1


def test_finished_folder_holds_results_only(sets, make_cut, tmp_path) -> None:
    _trainer(make_cut(iterations=3), *sets, tmp_path / "t").run()
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == [
        "card.json",
        "log.jsonl",
        "samples",
        "weights.safetensors",
    ]

"""SRUNIT's robustness term against its definition, and what it shares with CUT."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tasks.translate.methods import cut, srunit
from tasks.translate.methods.base import Batch, Resources
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchnce import draw_places
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.sections.cut import Cut
from tasks.translate.sections.srunit import Srunit
from tasks.translate.training.trainer import Trainer

MAGNITUDE = 1e-3
SHARED = {
    "generator": {"channels": 4, "blocks": 1},
    "discriminator": {"channels": 4, "layers": 2},
    "nce": {"layers": [0, 4, 12], "patches": 16, "width": 8},
    "training": {"iterations": 6, "crop": 32, "checkpoint_every": 2, "sample_every": 3},
}


def _config(start: float = 0.0, patches: int = 16, **training: Any) -> Srunit:
    changes = {"robustness": {"start": start, "patches": patches}, "training": SHARED["training"] | training}
    return Srunit.model_validate({"method": "srunit", **SHARED, **changes})


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _batch(step: int = 0, count: int = 2) -> Batch:
    images = torch.rand(2, count, 3, 32, 32, generator=_rng(step)) * 2 - 1
    return Batch(*images, _rng(step), step)


@pytest.fixture
def make_trainer(make_table, tmp_path) -> Callable[..., Trainer]:
    sets = make_table("source", 3, mean=90), make_table("target", 5, mean=160)

    def make(name: str, config: Any) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return Trainer(config, *sets, tmp_path / name, "cpu")

    return make


class Affine(nn.Module):
    """A generator whose only layer is the identity, so that ``G_l(G(h)) = h + shift``."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift = shift
        self.layers: list[int] = []

    def decode(self, x: torch.Tensor, features: torch.Tensor, layer: int) -> torch.Tensor:
        self.layers.append(layer)
        return features / 2

    def encode(self, x: torch.Tensor, layers: list[int]) -> list[torch.Tensor]:
        assert layers == self.layers[-1:], "back to the layer where the noise came in"
        return [2 * x + self.shift]


class Times(nn.Module):
    """A projection that multiplies."""

    def project(self, layer: int, features: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return 3 * features.flatten(2)[:, :, places].transpose(1, 2)


def _toy(shift: float = 0.0, patches: int = 16) -> srunit.SrunitLearner:
    learner = srunit.build(_config(patches=patches), _rng())
    learner.generator, learner.projection = Affine(shift), Times()
    return learner


@pytest.mark.parametrize("skip", [False, True])
def test_decode_undoes_encode(skip) -> None:
    network = ResnetGenerator(4, 2, skip=skip)
    initialise(network, _rng(), std=0.2)
    x = torch.rand(1, 3, 32, 48, generator=_rng()) * 2 - 1
    layers = (0, 4, 8, 12, 13)
    for layer, features in zip(layers, network.encode(x, layers), strict=True):
        before = features.clone()
        assert torch.equal(network.decode(x, features, layer), network(x)), layer
        assert torch.equal(features, before), "not overwritten"
        assert not torch.allclose(network.decode(x, features.flip(3), layer), network(x), atol=1e-3)


def test_noise_has_the_length_it_says_and_any_direction() -> None:
    features = torch.zeros(2, 5, 30, 40)
    noise, lengths = srunit.draw_noise(features, MAGNITUDE, _rng())
    assert lengths.shape == (2, 30, 40)
    assert torch.allclose(noise.norm(dim=1), lengths, rtol=1e-5)
    assert 0.1 * MAGNITUDE <= lengths.min() < 0.11 * MAGNITUDE
    assert 0.99 * MAGNITUDE < lengths.max() <= MAGNITUDE
    directions = (noise / lengths[:, None]).transpose(0, 1).flatten(1)
    covariance = directions @ directions.T / directions.shape[1]
    assert directions.mean(1).abs().max() < 0.05
    assert torch.allclose(covariance, torch.eye(5) / 5, atol=0.02), "the same in all directions"
    assert torch.equal(srunit.draw_noise(features, MAGNITUDE, _rng())[0], noise)
    assert not torch.equal(srunit.draw_noise(features, MAGNITUDE, _rng(1))[0], noise)


def test_divisor_is_the_length_of_the_injected_noise() -> None:
    """F(G_l(G(h + n))) - F(h) = 3n here, so the term is 3 whatever is drawn: with any other divisor it would not be."""
    learner = _toy()
    features = torch.rand(2, 4, 8, 8, generator=_rng())
    found = [learner.robustness(torch.zeros(2, 3, 8, 8), features, 1, _rng(s)).item() for s in range(5)]
    assert found == pytest.approx([3] * 5, rel=2e-3)
    assert set(learner.generator.layers) == {4}


def test_term_is_the_mean_ratio_over_the_locations() -> None:
    learner = _toy(shift=0.002, patches=7)
    features = torch.rand(2, 4, 6, 5, generator=_rng()) * 0.01
    found = learner.robustness(torch.zeros(2, 3, 6, 5), features, 2, _rng(3)).item()
    rng = _rng(3)
    noise, lengths = (t.double().numpy() for t in srunit.draw_noise(features, MAGNITUDE, rng))
    (places,) = draw_places([features], 7, rng)
    ratios = []
    for n in range(2):
        for row, column in (divmod(int(p), 5) for p in places):
            change = 3 * (noise[n, :, row, column] + 0.002)
            ratios.append(np.sqrt((change**2).sum()) / lengths[n, row, column])
    assert len(ratios) == 14
    assert found == pytest.approx(np.mean(ratios), rel=1e-4)


def test_term_uses_the_methods_own_networks() -> None:
    learner = srunit.build(_config(patches=3), _rng())
    initialise(learner.networks, _rng())  # so narrow a projection would hardly differ from 0 at a gain of 0.02
    generator, batch = learner.generator, _batch()
    features = generator.encode(batch.source, (0, 4, 12))[1]
    found = learner.robustness(batch.source, features, 1, _rng(5))
    rng = _rng(5)
    noise, lengths = srunit.draw_noise(features, MAGNITUDE, rng)
    (places,) = draw_places([features], 3, rng)
    (after,) = generator.encode(generator.decode(batch.source, features + noise, 4), [4])
    ratios = []
    for n in range(2):
        for row, column in (divmod(int(p), 32) for p in places):
            vectors = [learner.projection.heads[1](f[n, :, row, column]) for f in (after, features)]
            there, here = (v / v.norm() for v in vectors)
            ratios.append(((there - here).norm() / lengths[n, row, column]).item())
    assert found.item() == pytest.approx(np.mean(ratios), rel=1e-4)


def test_mixed_precision_does_not_round_the_noise_away() -> None:
    learner, batch = srunit.build(_config(), _rng()), _batch()
    features = learner.generator.encode(batch.source, (4,))[0]
    plain = learner.robustness(batch.source, features, 1, _rng())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(learner.robustness(batch.source, features, 1, _rng()), plain)
        rounded = learner.robustness(batch.source, features.bfloat16(), 1, _rng())
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(plain.item(), rel=0.02)


def test_gradient_reaches_generator_and_projection() -> None:
    learner = srunit.build(_config(), _rng())
    batch = _batch()
    features = learner.generator.encode(batch.source, (0, 4, 12))
    learner.robustness(batch.source, features[1], 1, _rng()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learner.generator.parameters())
    assert all((p.grad is not None) == name.startswith("1.") for name, p in learner.projection.heads.named_parameters())


def test_one_random_layer_a_step() -> None:
    learner = _toy()
    features = [torch.rand(1, 4, 4, 4)] * 3
    for seed in range(30):
        losses = learner.further(Batch(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4), _rng(seed), 0), features)
        assert losses.keys() == {"robustness"}
    assert len(learner.generator.layers) == 30
    assert set(learner.generator.layers) == {0, 4, 12}


def test_term_is_the_mean_over_layers_of_which_one_is_drawn() -> None:
    """F(G_l(G(h + n))) - F(h) = 3n in each layer here: the drawn one's term is 3, the others count as 0."""
    learner = _toy()
    features = [torch.rand(2, 4, 8, 8, generator=_rng(k)) for k in range(3)]
    for seed in range(5):
        losses = learner.further(Batch(*torch.zeros(2, 2, 3, 8, 8), _rng(seed), 0), features)
        assert losses["robustness"].item() == pytest.approx((3 + 0 + 0) / 3, rel=2e-3)


def test_term_begins_after_its_share_of_the_steps() -> None:
    learner = srunit.build(_config(start=0.25, iterations=8), _rng())
    seen = ["robustness" in dict(learner.losses(_batch(step)))["generator"] for step in range(8)]
    assert seen == [False, False, True, True, True, True, True, True]
    assert learner.weights["robustness"] == 1e-3
    assert srunit.build(_config(), _rng()).weights.keys() - cut.build(_cut(), _rng()).weights.keys() == {"robustness"}


def _cut(**training: Any) -> Cut:
    return Cut.model_validate({"method": "cut", **SHARED, "training": SHARED["training"] | training})


def test_generator_learns_as_cut_does_before_the_term_begins(make_trainer) -> None:
    ours, theirs = make_trainer("srunit", _config(start=1.0)), make_trainer("cut", _cut())
    initial = {k: v.clone() for k, v in ours.networks.state_dict().items()}
    ours.run()
    theirs.run()
    trained, wanted = ours.networks.state_dict(), theirs.networks.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in trained.items())
    assert any(not torch.equal(v, initial[k]) for k, v in trained.items() if k.startswith("generator."))


def test_term_changes_the_training(make_trainer) -> None:
    ours, theirs = make_trainer("srunit", _config(start=0.5)), make_trainer("cut", _cut())
    ours.run()
    theirs.run()
    wanted = theirs.networks["generator"].state_dict()
    assert any(not torch.equal(v, wanted[k]) for k, v in ours.networks["generator"].state_dict().items())


def test_full_size_networks_have_the_published_parameters() -> None:
    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    residual = 9 * 2 * conv(256, 256, 3)
    down, up = conv(64, 128, 3) + conv(128, 256, 3), conv(256, 128, 3) + conv(128, 64, 3)
    widths = (3, 64, 128, 256, 512, 1)
    learner = srunit.build(Srunit.model_validate({"method": "srunit", "training": {"iterations": 1}}), _rng())
    assert {n: sum(p.numel() for p in net.parameters()) for n, net in learner.networks.items()} == {
        "generator": conv(3, 64, 7) + down + residual + up + conv(64, 3, 7),
        "discriminator": sum(conv(a, b, 4) for a, b in pairwise(widths)),
        "projection": sum(conv(c, 256, 1) + conv(256, 256, 1) for c in (3, 128, 256, 256, 256)),
    }
    assert learner.weights == {"real": 0.5, "fake": 0.5, "gan": 1, "nce": 0.5, "identity_nce": 0.5, "robustness": 1e-3}


def test_each_step_changes_what_its_optimiser_owns(make_trainer) -> None:
    trainer = make_trainer("t", _config())
    networks = trainer.networks
    for step in range(2):
        found = []
        rounds = trainer.learner.losses(_batch(step))
        while True:
            before = {n: {k: v.clone() for k, v in net.state_dict().items()} for n, net in networks.items()}
            if (turn := next(rounds, None)) is None:
                break
            trainer.optimise(*turn, 1.0)
            changed = {n for n in before if any((v != before[n][k]).any() for k, v in networks[n].state_dict().items())}
            found.append(changed)
        assert found == [{"discriminator"}, {"generator", "projection"}]


def test_resumed_training_ends_with_the_same_bits(make_trainer, crash, tmp_path: Path) -> None:
    config = _config(start=0.25, batch=2)
    whole = make_trainer("whole", config)
    card = whole.run()
    crash(make_trainer("cut", config), 5)
    resumed = make_trainer("cut", config)
    assert resumed.run()["losses"] == card["losses"]
    for name in ("weights.safetensors", "log.jsonl", "samples/0000006.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    wanted = whole.networks.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in resumed.networks.state_dict().items())


def test_trained_weights_translate_at_exact_size(make_trainer, tmp_path: Path) -> None:
    config = _config(iterations=2)
    make_trainer("t", config).run()
    translator = srunit.load(config, Resources(weights=tmp_path / "t/weights.safetensors"))
    image = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8)
    (result,) = translator([image], ["a"])
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    with pytest.raises(ValueError, match="srunit needs the weights"):
        srunit.load(config, Resources())

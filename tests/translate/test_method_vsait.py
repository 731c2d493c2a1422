import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import nn

from tasks.translate.errors import WeightsError
from tasks.translate.methods import vsait
from tasks.translate.methods.base import Batch, Resources
from tasks.translate.networks.features import build_features
from tasks.translate.networks.hypervectors import (
    HypervectorDiscriminator,
    Hypervectors,
    Mapping,
    bind,
    hinge_fake,
    hinge_real,
    vsa_loss,
)
from tasks.translate.networks.resampling import GaussianDown
from tasks.translate.sections.features import Features
from tasks.translate.sections.vsait import Vsait
from tasks.translate.training.trainer import Trainer


@pytest.fixture
def make_vsait() -> Callable[..., Vsait]:
    """A function that configures the smallest VSAIT; keywords go to its ``training`` section."""

    def make(features: Any = {"network": "random"}, **training: Any) -> Vsait:  # noqa: B006
        given = {"iterations": 4, "crop": 32, "checkpoint_every": 2, "sample_every": 9, "ema": 0.9, **training}
        generator = {"channels": 4, "blocks": 1}
        return Vsait.model_validate(
            {"method": "vsait", "generator": generator, "features": features, "length": 16, "training": given}
        )

    return make


@pytest.fixture
def sets(make_table):
    return make_table("source", 3, mean=90), make_table("target", 3, mean=160)


def _hypervectors(length: int = 32, seed: int = 0) -> Hypervectors:
    return Hypervectors(build_features(Features(network="random")), length, seed)


def _images(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _batch(seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    source, target = (torch.rand(2, 3, 32, 32, generator=rng) * 2 - 1 for _ in range(2))
    return Batch(source, target, rng, 0)


def test_unbinding_recovers_bipolar_vectors_exactly() -> None:
    a, key = _random(1, 64, 2, 2).sign(), _random(1, 64, 2, 2, seed=1).sign()
    bound = bind(a, key)
    assert not torch.equal(bound, a)
    assert torch.equal(bind(bound, key), a)


def test_unbinding_recovers_real_vectors_up_to_noise() -> None:
    # cos(a, a k^2) for independent Gaussians: E[k^2] / sqrt(E[k^4]) = 1 / sqrt(3)
    a, key = _random(4096), _random(4096, seed=1)
    cosine = torch.cosine_similarity
    assert abs(cosine(bind(a, key), a, dim=0)) < 0.05, "bound, it is like nothing"
    assert cosine(bind(bind(a, key), key), a, dim=0).item() == pytest.approx(3**-0.5, abs=0.05)
    assert abs(cosine(bind(bind(a, key), _random(4096, seed=2)), a, dim=0)) < 0.05, "another key does not open it"
    tanh = torch.tanh(5 * key)  # what a mapping that has made up its mind gives
    assert cosine(bind(bind(a, tanh), tanh), a, dim=0) > 0.9


def test_hypervectors_are_cosines_with_one_random_convolution_a_layer() -> None:
    hypervectors = _hypervectors(5)
    x = _images()
    maps = [m.numpy() for m in hypervectors.features(x)]
    directions = hypervectors.directions.numpy()[:, :, 0, 0]
    expected = np.zeros((2, 5, 2, 3))
    for n, k, row, column in np.ndindex(expected.shape):
        total, patch_square, direction_square, start = 0.0, 0.0, 0.0, 0
        for m, stride in zip(maps, (1, 2, 4, 8, 16), strict=True):
            size = 16 // stride  # kernel and stride of this layer's convolution
            patch = m[n, :, row * size : (row + 1) * size, column * size : (column + 1) * size]
            kernel = directions[k, start : start + patch.size].reshape(patch.shape)
            start += patch.size
            total += (patch * kernel).sum()
            patch_square += np.square(patch).sum()
            direction_square += np.square(kernel).sum()
        assert start == directions.shape[1]
        expected[n, k, row, column] = total / np.sqrt(patch_square * direction_square)
    found = hypervectors(x).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(expected).max() > 0.01


def test_directions_are_spread_evenly() -> None:
    directions = _hypervectors(64).directions.flatten(1)
    assert torch.allclose(directions.norm(dim=1), torch.ones(64), atol=1e-5)
    cosines = directions @ directions.T - torch.eye(64)
    assert cosines.abs().max() < 6 / directions.shape[1] ** 0.5
    assert cosines[~torch.eye(64, dtype=bool)].std().item() == pytest.approx(directions.shape[1] ** -0.5, rel=0.1)


def test_hypervectors_of_unlike_patches_are_nearly_orthogonal() -> None:
    features = nn.Identity()
    features.strides, features.channels = (16,), (256,)
    features.forward = lambda x: [x]
    hypervectors = Hypervectors(features, 4096, 0)  # type: ignore[arg-type]
    a, b = torch.eye(256)[:2].view(2, 256, 1, 1)
    pair = hypervectors(torch.stack([a, b, a + b]))[:, :, 0, 0]
    assert abs(torch.cosine_similarity(pair[0], pair[1], dim=0)) < 0.05
    assert torch.cosine_similarity(pair[0], pair[2], dim=0).item() == pytest.approx(0.5**0.5, abs=0.05)


def test_directions_come_from_their_seed_and_are_not_stored() -> None:
    a, b, c = (_hypervectors(seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a(_images()), b(_images()))
    assert not torch.allclose(a(_images()), c(_images()), atol=1e-3)
    assert not a.state_dict()
    assert not list(a.parameters())


def test_flat_image_has_a_hypervector_and_a_gradient() -> None:
    x = torch.zeros(1, 3, 32, 32, requires_grad=True)
    found = _hypervectors()(x)
    found.sum().backward()
    assert found.isfinite().all()
    assert x.grad.isfinite().all()


def test_vsa_loss_by_hand() -> None:
    translated = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    mapping = torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)
    source = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)
    # unbound: (3, -4), of norm 5; cosine with (2, 0): 3 / 5
    assert vsa_loss(translated, mapping, source).item() == pytest.approx(0.4)
    assert vsa_loss(bind(source, mapping), mapping, source).item() == pytest.approx(0, abs=1e-6)
    two = [torch.cat([t, t * torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)], dim=3) for t in (translated, mapping)]
    # the second place: (3, -4) * (1, 1) gives (3, -4) too, against (0, 2): cosine -4 / 5
    there = torch.cat([source, source.flip(1)], dim=3)
    assert vsa_loss(*two, there).item() == pytest.approx((0.4 + 1.8) / 2)


def test_hinge_by_hand() -> None:
    judged = torch.tensor([-2.0, 0.5, 3.0])
    assert hinge_real(judged).item() == pytest.approx((3 + 0.5 + 0) / 3)
    assert hinge_fake(judged).item() == pytest.approx((0 + 1.5 + 4) / 3)


def test_mapping_starts_by_changing_no_direction(make_vsait) -> None:
    mapping = vsait.build(make_vsait(), torch.Generator().manual_seed(0)).mapping
    assert torch.allclose(mapping(_random(1, 16, 2, 3)), torch.full((1, 16, 2, 3), np.tanh(1.0)))
    a, b = _random(1, 16, 2, 3), _random(1, 16, 2, 3, seed=1)
    cosine = torch.cosine_similarity(a, b, dim=1)
    assert torch.allclose(vsa_loss(b, mapping(a), a), (1 - cosine).mean(), atol=1e-6)
    mapping(a).sum().backward()
    assert (mapping.layers[2].weight.grad != 0).any(), "it can learn nevertheless"


def test_parameters_at_full_length() -> None:
    with torch.device("meta"):
        count = [sum(p.numel() for p in n.parameters()) for n in (HypervectorDiscriminator(4096), Mapping(4096))]
    length, width = 4096, 1024
    discriminator = length * width + width + width * width + width + width + 1
    assert count == [discriminator, 2 * (length * length + length)] == [5_245_953, 33_562_624]


def _gradients(learner: vsait.VsaitLearner, loss: torch.Tensor) -> set[str]:
    """The networks that a loss moves."""
    learner.networks.zero_grad(set_to_none=True)
    loss.backward(retain_graph=True)
    moved = lambda net: any(p.grad is not None and (p.grad != 0).any() for p in net.parameters())  # noqa: E731
    return {name for name, network in learner.networks.items() if moved(network)}


def test_each_loss_moves_what_it_should(make_vsait) -> None:
    learner = vsait.build(make_vsait(), torch.Generator().manual_seed(0))
    found = dict(learner.losses(_batch()))
    assert {k: set(v) for k, v in found.items()} == {
        "generator": {"gan", "vsa", "mapping"},
        "discriminator": {"real", "fake", "bound"},
    }
    for name in ("real", "fake", "bound"):
        assert _gradients(learner, found["discriminator"][name]) == {"discriminator"}
    assert _gradients(learner, found["generator"]["mapping"]) == {"discriminator", "mapping"}
    assert _gradients(learner, found["generator"]["gan"]) == {"discriminator", "generator"}
    assert _gradients(learner, found["generator"]["vsa"]) == {"generator"}, "neither mapping nor source are moved"


def test_source_side_of_the_vsa_loss_is_detached() -> None:
    translated, mapping, source = (_random(1, 8, 2, 2, seed=s).requires_grad_(True) for s in range(3))
    vsa_loss(translated, mapping, source).backward()
    assert translated.grad is not None
    assert mapping.grad is None
    assert source.grad is None


def _moved(network: nn.Module, seed: int) -> None:
    """Give a network other weights."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in network.parameters():
            p += 0.1 * torch.randn(p.shape, generator=rng)


def _as_published(learner: vsait.VsaitLearner, batch: Batch) -> dict[str, float]:
    """The two losses of the authors' program for the networks as they are, in NumPy at 64 bits."""

    def numbers(x: torch.Tensor) -> np.ndarray:  # hypervectors [patches, length]
        return x.detach().movedim(1, 3).flatten(0, 2).numpy().astype(np.float64)

    def judged(x: np.ndarray) -> np.ndarray:
        for layer in (layers := learner.discriminator.layers)[::2]:
            x = x @ layer.weight.detach().numpy()[:, :, 0, 0].astype(np.float64).T + layer.bias.detach().numpy()
            x = x if layer is layers[-1] else np.where(x > 0, x, 0.2 * x)
        return x

    x, y = batch.source, batch.target
    source, target, translated = (numbers(learner.hypervectors(i)) for i in (x, y, learner.generator(x)))
    mapping = numbers(learner.mapping(learner.hypervectors(x)))
    unbound, bound = translated * mapping, source * mapping
    norms = np.linalg.norm(unbound, axis=1) * np.linalg.norm(source, axis=1)
    vsa = (1 - (unbound * source).sum(1) / norms).mean()
    adversarial = np.mean([-judged(translated).mean(), -judged(bound).mean()])  # the mean over two outputs
    outputs = [np.maximum(1 + judged(v), 0).mean() for v in (translated, bound)]
    outputs.append(np.maximum(1 - judged(target), 0).mean())
    return {"generator": 10 * vsa + adversarial, "discriminator": np.mean(outputs)}  # 1 : 1 : 1


def test_losses_and_their_order_are_the_published_ones(make_vsait) -> None:
    learner = vsait.build(make_vsait(), torch.Generator().manual_seed(0))
    _moved(learner.mapping, 1)  # it starts as a constant
    order = []
    for name, losses in learner.losses(_batch()):
        expected = _as_published(learner, _batch())[name]
        total = sum(learner.weights[n] * v for n, v in losses.items())
        assert total.item() == pytest.approx(expected, rel=1e-5), name
        order.append(name)
        # As a step would: the discriminator is shown what generator and mapping give after theirs.
        for network in learner.optimisers[name].networks:
            _moved(learner.networks[network], 2)
        assert _as_published(learner, _batch())[name] != pytest.approx(expected, rel=1e-3)
    assert order == ["generator", "discriminator"]


def test_optimisers_are_those_of_the_authors(make_vsait) -> None:
    learner = vsait.build(make_vsait(lr=1e-4), torch.Generator())
    stepped = {n: (a.networks, a.lr) for n, a in learner.optimisers.items()}
    assert stepped == {"generator": (("generator", "mapping"), 1e-4), "discriminator": (("discriminator",), 4e-4)}
    assert all(a.betas == (0, 0.9) and a.weight_decay == 1e-4 for a in learner.optimisers.values())
    assert [learner.schedule(s) for s in (0, 99_999, 100_000, 200_000)] == [1, 1, 0.5, 0.25]


def test_generator_is_that_of_the_authors(make_vsait) -> None:
    config = make_vsait()
    assert config.generator.resampling == Vsait.model_fields["generator"].default.resampling == "gaussian"
    config = config.model_copy(update={"generator": config.generator.model_copy(update={"channels": 16, "blocks": 2})})
    generator = vsait.build(config, torch.Generator().manual_seed(0)).generator
    assert isinstance(generator.layers[7], GaussianDown)
    for name, weight in generator.named_parameters():
        if name.endswith("bias"):
            assert not weight.any()
        else:
            fans = weight[0].numel() + weight[:, 0].numel()
            assert weight.std().item() == pytest.approx(0.2 * np.sqrt(2 / fans), rel=0.06), name


def _trainer(config: Vsait, sets: Any, folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(config, *sets, folder, "cpu")


@pytest.mark.parametrize("network", ["random", "efficientnet_lite0"])
def test_resumed_training_ends_with_the_same_bits(sets, make_vsait, crash, tmp_path, network) -> None:
    config = make_vsait({"network": network})
    _trainer(config, sets, tmp_path / "whole").run()
    crash(_trainer(config, sets, tmp_path / "cut"), 3)
    resumed = _trainer(config, sets, tmp_path / "cut")
    resumed.resume()
    assert resumed.step == 2
    resumed.run()
    for name in ("weights.safetensors", "log.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_checkpoints_hold_neither_directions_nor_features(sets, make_vsait, tmp_path) -> None:
    trainer = _trainer(make_vsait(), sets, tmp_path / "t")
    assert {name.split(".")[0] for name in trainer._state()["networks"]} == {"generator", "discriminator", "mapping"}
    assert not any(module.training for module in trainer.networks["hypervectors"].features.modules())


def test_training_moves_all_three_and_no_feature(sets, make_vsait, tmp_path) -> None:
    trainer = _trainer(make_vsait(), sets, tmp_path / "t")
    before = {n: v.clone() for n, v in trainer.networks.state_dict().items()}
    frozen = [b.clone() for b in trainer.networks["hypervectors"].buffers()]
    card = trainer.run()
    changed = {n.split(".")[0] for n, v in trainer.networks.state_dict().items() if not torch.equal(v, before[n])}
    assert changed == {"generator", "discriminator", "mapping"}
    assert all(torch.equal(a, b) for a, b in zip(frozen, trainer.networks["hypervectors"].buffers(), strict=True))
    assert card["losses"].keys() == {"real", "fake", "bound", "mapping", "gan", "vsa"}
    assert card["parameters"]["hypervectors"] == 0, "nothing in it is trained"


def test_card_names_the_features_and_random_ones_are_said_aloud(sets, make_vsait, tmp_path, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        _trainer(make_vsait(iterations=1), sets, tmp_path / "a").run()
    assert "training vsait with RANDOM feature weights" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        _trainer(make_vsait({"network": "efficientnet_lite0"}, iterations=1), sets, tmp_path / "b").run()
    assert not caplog.text
    a, b = (json.loads((tmp_path / f / "card.json").read_text())["features"] for f in "ab")
    assert a["network"] == "random"
    assert "smoke runs only" in a["warning"]
    assert b["network"] == "efficientnet_lite0"
    assert b["sha256"].startswith("57934424")
    assert "warning" not in b


def test_trained_weights_translate_without_the_feature_network(sets, make_vsait, tmp_path) -> None:
    config = make_vsait({"network": "vgg19", "path": tmp_path / "gone.pth", "sha256": "0" * 64})
    with pytest.raises(WeightsError, match=r"gone\.pth"):
        _trainer(config, sets, tmp_path / "t")
    _trainer(make_vsait(), sets, tmp_path / "t").run()
    weights = tmp_path / "t" / "weights.safetensors"
    translator = vsait.load(config, Resources(weights=weights))
    image = np.random.default_rng(0).integers(0, 256, (37, 50, 3)).astype(np.uint8)
    result = translator([image], ["a"])[0]
    assert result.shape == image.shape
    assert (result != image).any()
    assert load_file(weights).keys() == dict(translator.network.named_parameters()).keys()


def test_where_the_features_lie_is_not_part_of_what_they_are(make_vsait, tmp_path) -> None:
    def config(path: str, digit: str) -> Vsait:
        return make_vsait({"network": "vgg19", "path": tmp_path / path, "sha256": digit * 64})

    assert config("a", "0").training_slice() == config("b", "0").training_slice()
    assert config("a", "0").training_slice() != config("a", "1").training_slice()
    assert config("a", "0").translation_slice() == make_vsait().translation_slice()


def test_crops_are_whole_patches(make_vsait) -> None:
    with pytest.raises(ValidationError, match=r"training.crop 40: hypervectors need crops of a multiple of 16"):
        make_vsait(crop=40)

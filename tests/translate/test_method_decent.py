"""DECENT's flows and its density-change term against their definitions."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tasks.translate.methods import decent
from tasks.translate.methods.base import Batch, Resources
from tasks.translate.networks.flows import BlockAffine, BlockFlow, LayerFlows, MovingAverage, take_patches
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.patchnce import draw_places
from tasks.translate.sections.decent import Decent
from tasks.translate.training.trainer import Trainer

LAYERS = (0, 4, 12)


def _config(density: Any = (), **training: Any) -> Decent:
    return Decent.model_validate(
        {
            "method": "decent",
            "generator": {"channels": 4, "blocks": 1},
            "discriminator": {"channels": 4, "layers": 2},
            "density": {"layers": LAYERS, "patches": 16, "width": 3, **dict(density)},
            "training": {"iterations": 6, "crop": 32, "checkpoint_every": 2, "sample_every": 3, **training},
        }
    )


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _batch(step: int = 0, count: int = 2) -> Batch:
    images = torch.rand(2, count, 3, 32, 32, generator=_rng(step)) * 2 - 1
    return Batch(*images, _rng(step), step)


def _flow(dims: int, width: int = 4, seed: int = 0, residual: bool = False) -> BlockFlow:
    """A flow far from its first state, with strong dependence between the dimensions."""
    flow, rng = BlockFlow(dims, width, _rng(seed), residual), _rng(seed + 100)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.7 * torch.randn(parameter.shape, generator=rng)
    return flow


def _state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in network.state_dict().items()}


@pytest.fixture
def make_trainer(make_table, tmp_path) -> Callable[[str, Decent], Trainer]:
    sets = make_table("source", 3, mean=90), make_table("target", 5, mean=160)

    def make(name: str, config: Decent) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return Trainer(config, *sets, tmp_path / name, "cpu")

    return make


def _affine(layer: BlockAffine) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases by the description: own blocks exp(v), earlier ones v, later ones 0; rows of length exp(s)."""
    dims, outputs, inputs = layer.blocks
    v, s, bias = (p.detach().numpy().astype(np.float64) for p in (layer.direction, layer.log_scale, layer.bias))
    variable = np.repeat(np.arange(dims), outputs)[:, None], np.repeat(np.arange(dims), inputs)[None, :]
    raw = np.where(variable[0] == variable[1], np.exp(v), np.where(variable[0] > variable[1], v, 0))
    return np.exp(s) * raw / np.linalg.norm(raw, axis=1, keepdims=True), bias


def _described(flow: BlockFlow, x: np.ndarray) -> float:
    """log N(z; 0, I) + sum of log dz_i / dx_i for one vector, where z = W2 tanh(W1 x + b1) + b2; NumPy at 64 bits."""
    (w1, b1), (w2, b2) = _affine(flow.widen), _affine(flow.narrow)
    hidden = np.tanh(w1 @ x + b1)
    z, jacobian = w2 @ hidden + b2, w2 @ np.diag(1 - hidden**2) @ w1
    if flow.gate is not None:
        gate = 1 / (1 + np.exp(-flow.gate.item()))
        z, jacobian = gate * z + (1 - gate) * x, gate * jacobian + (1 - gate) * np.eye(len(x))
    assert np.allclose(np.triu(jacobian, 1), 0)
    return float(-0.5 * z @ z - 0.5 * len(z) * np.log(2 * np.pi) + np.log(np.diag(jacobian)).sum())


@pytest.mark.parametrize("residual", [False, True])
def test_log_density_is_its_definition(residual) -> None:
    flow = _flow(6, residual=residual)
    assert (flow.gate is not None) == residual
    x = torch.randn(5, 6, generator=_rng())
    with torch.no_grad():
        found = flow(x).numpy()
    assert found == pytest.approx([_described(flow, v) for v in x.numpy().astype(np.float64)], rel=1e-4)


def test_flows_are_the_published_ones_by_default() -> None:
    settings = Decent.model_validate({"method": "decent", "training": {"iterations": 1}})
    flow = decent.build(settings, _rng()).flows["target"].flows[4]
    assert (flow.gate, flow.widen.blocks, flow.narrow.blocks) == (None, (256, 10, 1), (256, 1, 10))


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_flow_is_autoregressive_with_the_determinant_it_says(seed, residual) -> None:
    flow = _flow(5, seed=seed, residual=residual)
    for x in torch.randn(4, 5, generator=_rng(seed)) * 2:
        jacobian = torch.autograd.functional.jacobian(lambda v: flow.transform(v)[0], x)
        z, log_diagonal = flow.transform(x)
        assert (jacobian.triu(1) == 0).all()
        assert (jacobian.tril(-1).abs() > 0).sum() == 10, "all earlier dimensions count"
        assert (jacobian.diagonal() > 0).all()
        assert torch.allclose(log_diagonal, jacobian.diagonal().log(), atol=1e-4)
        normal = torch.distributions.Normal(0, 1).log_prob(z).sum()
        expected = normal + torch.linalg.slogdet(jacobian)[1]
        assert flow(x).item() == pytest.approx(expected.item(), abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_residual_density_integrates_to_one(seed) -> None:
    line = torch.linspace(-20, 20, 20001)
    flow = _flow(1, seed=seed, residual=True)
    assert torch.trapezoid(flow(line[:, None]).exp(), line).item() == pytest.approx(1, abs=1e-4)
    line = torch.linspace(-20, 20, 501)
    plane = _flow(2, seed=seed, residual=True)(torch.cartesian_prod(line, line)).exp().view(501, 501)
    assert torch.trapezoid(torch.trapezoid(plane, line), line).item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_density_without_it_integrates_to_what_its_range_holds(seed) -> None:
    flow, line = _flow(1, seed=seed), torch.linspace(-20, 20, 20001)
    with torch.no_grad():
        ends = flow.transform(torch.tensor([[-1e3], [1e3]]))[0]
        low, high = torch.distributions.Normal(0, 1).cdf(ends)[:, 0]
        assert torch.trapezoid(flow(line[:, None]).exp(), line).item() == pytest.approx((high - low).item(), abs=1e-4)
    assert high - low < 1


@pytest.mark.parametrize("residual", [False, True])
def test_flow_reaches_the_likelihood_of_a_correlated_gaussian(residual) -> None:
    rng, mean, scale = _rng(), torch.tensor([0.5, -1]), torch.tensor([[0.8, 0], [1.2, 0.5]])
    true = torch.distributions.MultivariateNormal(mean, scale_tril=scale)
    flow = BlockFlow(2, 10, rng, residual)
    optimiser = torch.optim.Adam(flow.parameters(), 1e-2, amsgrad=True)
    for _ in range(300):
        optimiser.zero_grad()
        (-flow(mean + torch.randn(256, 2, generator=rng) @ scale.T).mean()).backward()
        optimiser.step()
    unseen = mean + torch.randn(10000, 2, generator=rng) @ scale.T
    wanted = true.log_prob(unseen).mean().item()
    uncorrelated = torch.distributions.Normal(mean, true.variance.sqrt()).log_prob(unseen).sum(1).mean().item()
    assert uncorrelated < wanted - 0.9
    assert wanted - 0.05 < flow(unseen).mean().item() <= wanted + 0.01


@pytest.mark.parametrize("residual", [False, True])
def test_flow_is_finite_far_away_and_exact_under_autocast(residual) -> None:
    flow = _flow(4, residual=residual)
    far = torch.tensor([[1e4, -1e4, 1e4, 1e4], [-300, 0, 0, 300.0]], requires_grad=True)
    flow(far).sum().backward()
    assert flow(far).isfinite().all()
    assert all(t.grad.isfinite().all() for t in (far, *flow.parameters()))
    x = torch.randn(8, 4, generator=_rng())
    with torch.autocast("cpu", torch.bfloat16):
        found = flow(x)
    assert torch.equal(found, flow(x)), "mixed precision is left"


def test_log_densities_are_nats_a_dimension() -> None:
    flows = LayerFlows([3, 5], 2, _rng())
    patches = [torch.randn(2, 7, c, generator=_rng()) for c in (3, 5)]
    for found, flow, p in zip(flows(patches), flows.flows, patches, strict=True):
        assert found.shape == (2, 7)
        assert found[1, 4].item() == pytest.approx(flow(p[1, 4]).item() / p.shape[2], rel=1e-5)


def test_patches_are_the_features_at_the_places() -> None:
    features = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    (taken,) = take_patches([features], [torch.tensor([7, 19])])
    assert torch.equal(taken[1, 0], features[1, :, 1, 2])
    assert torch.equal(taken[0, 1], features[0, :, 3, 4])


def test_density_change_is_the_variance_over_patches() -> None:
    rng = np.random.default_rng(0)
    before, after = ([rng.normal(size=(3, n)) for n in (9, 4)] for _ in range(2))
    expected = []
    for b, a in zip(before, after, strict=True):
        change = b - a
        squares = (change - change.mean(axis=1, keepdims=True)) ** 2
        expected.append(np.mean(squares.sum(axis=1) / (change.shape[1] - 1)))
    found = decent.density_change([torch.tensor(b) for b in before], [torch.tensor(a) for a in after])
    assert found.item() == pytest.approx(np.mean(expected))


def test_the_same_change_of_all_patches_costs_nothing() -> None:
    before = torch.randn(1, 50, generator=_rng())
    assert decent.density_change([before], [before + 3]).item() == pytest.approx(0, abs=1e-10)
    assert decent.density_change([before], [2 * before + 3]).item() == pytest.approx(before.var().item())


def test_losses_are_their_definitions() -> None:
    learner, batch = decent.build(_config(), _rng()), _batch(3)
    losses = {k: v.item() for _, values in learner.losses(batch) for k, v in values.items()}
    generator, average = learner.generator, learner.average.network
    fake = generator(batch.source)
    images = {"source": batch.source, "target": batch.target, "fake": fake}
    features = {name: generator.encode(x, LAYERS) for name, x in images.items()}
    places = draw_places(features["source"], 16, _rng(3))

    def density(flow: BlockFlow, name: str, layer: int) -> np.ndarray:
        vectors = features[name][layer].flatten(2)[:, :, places[layer]].transpose(1, 2)
        flat = [_described(flow, v) for v in vectors.detach().double().numpy().reshape(-1, vectors.shape[2])]
        return np.reshape(flat, vectors.shape[:2]) / vectors.shape[2]

    changes, source_nll, target_nll = [], [], []
    for layer in range(3):
        change = density(average["source"].flows[layer], "source", layer)
        change = change - density(average["target"].flows[layer], "fake", layer)
        changes += [np.var(c, ddof=1) for c in change]
        source_nll.append(-density(learner.flows["source"].flows[layer], "source", layer).mean())
        target_nll.append(-density(learner.flows["target"].flows[layer], "target", layer).mean())
    judge, y = learner.discriminator, batch.target
    assert losses == pytest.approx(
        {
            "fake": judge(fake).square().mean().item(),
            "real": (judge(y) - 1).square().mean().item(),
            "gan": (judge(fake) - 1).square().mean().item(),
            "density": np.mean(changes),
            "source_nll": np.mean(source_nll),
            "target_nll": np.mean(target_nll),
            "identity": np.abs(generator(y).detach().numpy() - y.numpy()).mean(),
        },
        rel=1e-3,
    )


def test_density_change_moves_translations_and_not_the_densities() -> None:
    learner = decent.build(_config(), _rng())
    rounds = learner.losses(_batch())
    next(rounds), next(rounds)
    _, losses = next(rounds)
    losses["density"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.generator.layers[-2].parameters())
    assert all(p.grad is None for n in ("flows", "average_flows") for p in learner.networks[n].parameters())


def test_minimising_the_term_lowers_it(make_trainer) -> None:
    trainer = make_trainer("t", _config({"weight": 1.0}))
    initialise(trainer.networks["generator"], _rng())  # at a gain of 0.02, so few steps would change little
    found = []
    for _ in range(15):
        rounds = trainer.learner.losses(_batch())
        next(rounds), next(rounds)
        _, losses = next(rounds)
        found.append(losses["density"].item())
        trainer.optimise("generator", {"density": losses["density"]}, 5.0)
    assert found[-1] < 0.7 * found[0]


def test_each_step_changes_what_its_optimiser_owns(make_trainer) -> None:
    trainer = make_trainer("t", _config())
    networks = trainer.networks
    for step in range(2):
        found = []
        rounds = trainer.learner.losses(_batch(step))
        while (turn := next(rounds, None)) is not None:
            before = {n: _state(net) for n, net in networks.items()}
            trainer.optimise(*turn, 1.0)
            found.append({n for n in before if any((v != before[n][k]).any() for k, v in _state(networks[n]).items())})
        assert found == [{"discriminator"}, {"flows"}, {"generator"}]


def test_flows_have_their_own_optimiser(make_trainer) -> None:
    trainer = make_trainer("t", _config({"lr": 0.004, "clip": 0.01}))
    adam, flows = trainer.optimisers["flows"], list(trainer.networks["flows"].parameters())
    trainer.optimise("flows", {"source_nll": sum(100 * p.square().sum() for p in flows)}, 0.5)
    assert torch.stack([p.grad.norm() for p in flows]).norm().item() == pytest.approx(0.01, rel=1e-3)
    assert adam.param_groups[0]["amsgrad"]
    assert adam.param_groups[0]["lr"] == 0.002
    default = decent.build(Decent.model_validate({"method": "decent", "training": {"iterations": 1}}), _rng())
    settings = default.optimisers["flows"]
    assert (settings.lr, settings.clip, settings.amsgrad, default.average.decay) == (1e-3, 0.1, True, 0.998)


def test_average_moves_as_its_formula_says() -> None:
    network = torch.nn.Linear(1, 1)
    average = MovingAverage(network, 0.75)
    value = network.weight.item()
    for step, decay in ((0, 0.1), (1, 2 / 11), (2, 3 / 12), (89, 0.75), (90, 0.75)):
        with torch.no_grad():
            network.weight += 1
        value = decay * value + (1 - decay) * network.weight.item()
        average.follow(network, step)
        average.follow(network, step)  # another batch of the same step
        assert average.network.weight.item() == pytest.approx(value, abs=1e-6), step  # as 32 bits hold it
    assert not average.network.weight.requires_grad


def test_average_judges_and_belongs_to_the_state(make_trainer) -> None:
    trainer = make_trainer("t", _config({"ema": 0.05}))
    for step in range(2):
        before, flows = _state(trainer.networks["average_flows"]), {}
        for name, losses in trainer.learner.losses(_batch(step)):
            trainer.optimise(name, losses, 1.0)
            flows = _state(trainer.networks["flows"])
        after = trainer.networks["average_flows"].state_dict()
        assert after.pop("steps") == step + 1
        for name, found in after.items():
            new = flows[name.removeprefix("network.")]
            assert torch.allclose(found, 0.05 * before[name] + 0.95 * new, atol=1e-6), name
    assert not any(torch.equal(before[k], v) for k, v in after.items() if k.endswith("direction"))


def test_full_size_networks_have_the_published_parameters() -> None:
    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    def flow(dims: int, width: int) -> int:
        widen = dims * width * dims + 2 * dims * width  # weights; their scales and biases
        narrow = dims * dims * width + 2 * dims
        return widen + narrow

    residual = 9 * 2 * conv(256, 256, 3)
    down, up = conv(64, 128, 3) + conv(128, 256, 3), conv(256, 128, 3) + conv(128, 64, 3)
    flows = 2 * sum(flow(dims, 10) for dims in (3, 128, 256, 256, 256))
    learner = decent.build(Decent.model_validate({"method": "decent", "training": {"iterations": 1}}), _rng())
    assert {n: sum(p.numel() for p in net.parameters()) for n, net in learner.networks.items()} == {
        "generator": conv(3, 64, 7) + down + residual + up + conv(64, 3, 7),
        "discriminator": sum(conv(a, b, 4) for a, b in pairwise((3, 64, 128, 256, 512, 1))),
        "flows": flows,
        "average_flows": flows,
    }
    assert learner.weights == {
        **{"real": 0.5, "fake": 0.5, "gan": 1, "density": 0.01, "identity": 10},
        **{"source_nll": 1, "target_nll": 1},
    }


def test_two_small_batches_are_one_large(make_trainer) -> None:
    few = {"iterations": 3}  # rounding differs, and further steps of Adam blow it up
    whole, parts = (
        make_trainer("whole", _config(batch=2, **few)),
        make_trainer("parts", _config(batch=1, accumulate=2, **few)),
    )
    assert parts.run()["losses"] == pytest.approx(whole.run()["losses"], rel=1e-3)
    assert parts.networks["average_flows"].steps == 3


def test_resumed_training_ends_with_the_same_bits(make_trainer, crash, tmp_path: Path) -> None:
    config = _config(batch=2)
    whole = make_trainer("whole", config)
    card = whole.run()
    crash(make_trainer("cut", config), 5)
    resumed = make_trainer("cut", config)
    assert resumed.run()["losses"] == card["losses"]
    for name in ("weights.safetensors", "log.jsonl", "samples/0000006.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    wanted = whole.networks.state_dict()
    assert wanted["average_flows.steps"] == 6
    assert all(torch.equal(v, wanted[k]) for k, v in resumed.networks.state_dict().items())


def test_trained_weights_translate_at_exact_size(make_trainer, tmp_path: Path) -> None:
    config = _config(iterations=2)
    make_trainer("t", config).run()
    translator = decent.load(config, Resources(weights=tmp_path / "t/weights.safetensors"))
    image = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8)
    (result,) = translator([image], ["a"])
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    with pytest.raises(ValueError, match="decent needs the weights"):
        decent.load(config, Resources())


def test_layers_that_the_generator_lacks_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"density.layers \[16\]: a generator of 1 blocks has \[0, 4, 8, 12\]"):
        _config({"layers": [0, 16]})
    with pytest.raises(ValidationError, match=r"layers \[4, 0\] must increase"):
        _config({"layers": [4, 0]})

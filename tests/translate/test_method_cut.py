"""CUT and FastCUT against their definition."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tasks.translate.methods import cut
from tasks.translate.methods.base import Batch
from tasks.translate.methods.contrastive import ContrastiveLearner
from tasks.translate.networks.patchnce import draw_places
from tasks.translate.sections.cut import Cut

Array = NDArray[np.float64]
LAYERS = (0, 4, 12)


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _learner(config: Cut) -> ContrastiveLearner:
    learner = cut.build(config, _rng())
    for parameter in learner.networks.double().parameters():
        parameter.data += 0.01  # biases, too
    return learner


def _batch(seed: int = 0, count: int = 2) -> Batch:
    source, target = torch.rand(2, count, 3, 32, 32, generator=_rng(seed), dtype=torch.double) * 2 - 1
    return Batch(source, target, _rng(seed), 0)


def _vectors(learner: ContrastiveLearner, features: list[torch.Tensor], places: list[torch.Tensor]) -> list[Array]:
    """Projected features by the description: Linear, ReLU, Linear, then length 1; a list of ``[N, S, D]``."""
    found = []
    for head, maps, where in zip(learner.projection.heads, features, places, strict=True):
        (w1, b1), (w2, b2) = ((layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in head[::2])
        taken = maps.detach().numpy().reshape(*maps.shape[:2], -1)[:, :, where.numpy()].transpose(0, 2, 1)
        projected = np.maximum(taken @ w1.T + b1, 0) @ w2.T + b2
        found.append(projected / np.linalg.norm(projected, axis=2, keepdims=True))
    return found


def _nce(queries: list[Array], keys: list[Array]) -> float:
    """Mean over layers of the mean cross entropy of each query's own key among those of its image, temperature 0.07."""
    layers = []
    for q, k in zip(queries, keys, strict=True):
        logits = np.einsum("nsd,ntd->nst", q, k) / 0.07
        own = np.einsum("nss->ns", logits)
        layers.append((np.log(np.exp(logits).sum(axis=2)) - own).mean())
    return float(np.mean(layers))


def _expected(learner: ContrastiveLearner, batch: Batch, *, fast: bool, rng: torch.Generator) -> dict[str, float]:
    generator, x, y = learner.generator, batch.source, batch.target
    mirrored = fast and torch.rand((), generator=rng).item() < 0.5
    with torch.no_grad():
        fake = generator(x.flip(3) if mirrored else x)
        judged, real = (learner.discriminator(z).numpy() for z in (fake, y))
        expected = {"fake": np.square(judged).mean(), "real": np.square(real - 1).mean()}
        expected["gan"] = np.square(judged - 1).mean()
        pairs = {"nce": (x, fake)} if fast else {"nce": (x, fake), "identity_nce": (y, generator(y))}
        for name, (before, after) in pairs.items():
            keys, queries = generator.encode(before, LAYERS), generator.encode(after, LAYERS)
            if mirrored:
                queries = [f.flip(3) for f in queries]
            places = draw_places(keys, 16, rng)
            expected[name] = _nce(_vectors(learner, queries, places), _vectors(learner, keys, places))
    return expected


@pytest.mark.parametrize("fast", [True, False])
def test_losses_are_their_definitions(make_cut: Callable[..., Cut], fast: bool) -> None:
    learner, seen = _learner(make_cut(fast)), set()
    for seed in range(4):
        batch = _batch(seed)
        found = {n: v.item() for _, losses in learner.losses(batch) for n, v in losses.items()}
        assert found == pytest.approx(_expected(learner, batch, fast=fast, rng=_rng(seed)), rel=1e-5)
        seen.add(torch.rand((), generator=_rng(seed)).item() < 0.5)
    assert seen == {True, False}, "mirrored and not"


def test_real_images_are_judged_as_they_are(make_cut: Callable[..., Cut]) -> None:
    """FastCUT mirrors the source on its way to the generator; what the discriminator takes for real stays."""
    learner = _learner(make_cut(fast=True))
    judge, shown = learner.discriminator.forward, []
    learner.discriminator.forward = lambda x: (shown.append(x), judge(x))[1]  # type: ignore[method-assign]
    for seed in range(8):
        batch = _batch(seed, count=1)
        next(learner.losses(batch))
        assert torch.equal(shown[-1][1:], batch.target)


@pytest.mark.parametrize(("fast", "expected"), [(True, (10, 0)), (False, (0.5, 0.5))])
def test_weights_are_the_published_ones(fast: bool, expected: tuple[float, float]) -> None:
    weights = cut.build(_section(fast), _rng()).weights
    assert (weights["nce"], weights.get("identity_nce", 0)) == expected
    assert (weights["gan"], weights["real"], weights["fake"]) == (1, 0.5, 0.5)


def _section(fast: bool, **training: float) -> Cut:
    return Cut.model_validate({"method": "cut", "fast": fast, "training": {"iterations": 8, **training}})


def test_fast_cut_learns_at_the_full_rate_for_three_quarters() -> None:
    def factors(config: Cut) -> list[float]:
        learner = cut.build(config, _rng())
        return [learner.schedule(step) for step in range(8)]

    assert factors(_section(fast=True)) == pytest.approx([1, 1, 1, 1, 1, 1, 1, 0.5])
    assert factors(_section(fast=False)) == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25])
    assert factors(_section(fast=True, decay=0.5)) == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25]), "as configured"
    assert Cut.model_validate(_section(fast=True).model_dump()).training.decay == 0.25

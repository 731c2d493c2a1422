"""CycleGAN against its definition."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.translate.methods import cyclegan
from tasks.translate.methods.base import Batch, Resources
from tasks.translate.networks.pool import ImagePool
from tasks.translate.sections.cyclegan import CycleGan
from tasks.translate.training.trainer import Trainer

SIDES = ("generator", "back"), ("discriminator", "discriminator_source")


def _config(pool: int = 2, **training: Any) -> CycleGan:
    return CycleGan.model_validate(
        {
            "method": "cyclegan",
            "generator": {"channels": 4, "blocks": 1},
            "discriminator": {"channels": 4, "layers": 2},
            "pool": pool,
            "training": {"iterations": 6, "crop": 32, "checkpoint_every": 2, "sample_every": 3, **training},
        }
    )


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def make_trainer(make_table, tmp_path) -> Callable[[str, CycleGan], Trainer]:
    sets = make_table("source", 3, mean=90), make_table("target", 5, mean=160)

    def make(name: str, config: CycleGan) -> Trainer:
        (tmp_path / name).mkdir(exist_ok=True)
        return Trainer(config, *sets, tmp_path / name, "cpu")

    return make


def _state(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in network.state_dict().items()}


def test_full_size_networks_have_the_published_parameters() -> None:
    def conv(inputs: int, outputs: int, kernel: int) -> int:
        return inputs * outputs * kernel**2 + outputs

    residual = 9 * 2 * conv(256, 256, 3)
    down, up = conv(64, 128, 3) + conv(128, 256, 3), conv(256, 128, 3) + conv(128, 64, 3)
    generator = conv(3, 64, 7) + down + residual + up + conv(64, 3, 7)
    widths = (3, 64, 128, 256, 512, 1)
    discriminator = sum(conv(a, b, 4) for a, b in pairwise(widths))
    config = CycleGan.model_validate({"method": "cyclegan", "training": {"iterations": 1}})
    learner = cyclegan.build(config, _rng())
    found = {n: sum(p.numel() for p in net.parameters()) for n, net in learner.networks.items()}
    one_way = {"generator": generator, "discriminator": discriminator, "pool": 0}
    assert found == one_way | {"back": generator, "discriminator_source": discriminator, "pool_source": 0}
    assert tuple(learner.pool.images.shape) == (50, 3, 256, 256)


def test_full_size_weights_and_optimisers_are_the_published_ones() -> None:
    learner = cyclegan.build(_config(), _rng())
    one_way = {"gan": 1, "cycle": 10, "identity": 5, "fake": 0.5, "real": 0.5}
    assert learner.weights == one_way | {f"{n}_back": w for n, w in one_way.items()}
    assert [a.networks for a in learner.optimisers.values()] == list(SIDES)
    assert {(a.lr, a.betas) for a in learner.optimisers.values()} == {(2e-4, (0.5, 0.999))}
    assert [learner.schedule(s) for s in (0, 3, 4, 5)] == pytest.approx([1, 1, 2 / 3, 1 / 3])


def test_losses_are_their_definitions() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, (2, 2, 3, 32, 32)).astype(np.float32)
    learner = cyclegan.build(_config(), _rng())
    learner.generator, learner.back = lambda z: z / 2, lambda z: z + 0.25
    learner.discriminator, learner.discriminator_source = lambda z: 2 * z, lambda z: -z
    rounds = dict(learner.losses(Batch(torch.tensor(x), torch.tensor(y), _rng(), 0)))
    expected = {
        "gan": np.square(2 * (x / 2) - 1).mean(),
        "gan_back": np.square(-(y + 0.25) - 1).mean(),
        "cycle": abs(x / 2 + 0.25 - x).mean(),
        "cycle_back": abs((y + 0.25) / 2 - y).mean(),
        "identity": abs(y / 2 - y).mean(),
        "identity_back": abs(x + 0.25 - x).mean(),
    }
    assert {n: v.item() for n, v in rounds["generator"].items()} == pytest.approx(expected, rel=1e-5)
    expected = {
        "fake": np.square(2 * (x / 2)).mean(),
        "real": np.square(2 * y - 1).mean(),
        "fake_back": np.square(-(y + 0.25)).mean(),
        "real_back": np.square(-x - 1).mean(),
    }
    assert {n: v.item() for n, v in rounds["discriminator"].items()} == pytest.approx(expected, rel=1e-5)


def test_gradients_reach_the_generators_that_a_term_is_about() -> None:
    learner = cyclegan.build(_config(), _rng())
    losses = dict(learner.losses(Batch(*torch.rand(2, 1, 3, 32, 32), _rng(), 0)))["generator"]
    reached = {}
    for name, loss in losses.items():
        learner.networks.zero_grad(set_to_none=True)
        loss.backward(retain_graph=True)
        reached[name] = {
            n for n in ("generator", "back") if any(p.grad is not None for p in learner.networks[n].parameters())
        }
    there, back = {"generator"}, {"back"}
    assert reached == {
        "gan": there,
        "gan_back": back,
        "cycle": there | back,
        "cycle_back": there | back,
        "identity": there,
        "identity_back": back,
    }


def test_identity_terms_of_weight_0_are_not_computed() -> None:
    config = _config().model_copy(update={"identity_weight": 0.0})
    learner = cyclegan.build(config, _rng())
    x, y = torch.rand(2, 1, 3, 32, 32)
    losses = dict(learner.losses(Batch(x, y, _rng(), 0)))["generator"]
    assert losses.keys() == {"gan", "gan_back", "cycle", "cycle_back"}


def test_discriminators_see_pooled_translations() -> None:
    seen = set()
    for seed in range(20):
        learner = cyclegan.build(_config(pool=1), _rng())
        learner.discriminator = torch.nn.Identity()
        learner.pool(torch.full((1, 3, 32, 32), 3.0), _rng())
        learner.generator = torch.nn.Identity()
        x, y = torch.full((2, 1, 3, 32, 32), 0.5)
        seen.add(dict(learner.losses(Batch(x, y, _rng(seed), 0)))["discriminator"]["fake"].item())
    assert seen == {0.25, 9.0}


def _images(*values: float) -> torch.Tensor:
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 4, 4)


def _values(images: torch.Tensor) -> list[float]:
    assert all((i == i[0, 0, 0]).all() for i in images)
    return [i[0, 0, 0].item() for i in images]


def test_pool_stores_until_it_is_full() -> None:
    pool, rng = ImagePool(3, 4), _rng()
    assert _values(pool(_images(1, 2), rng)) == [1, 2]
    assert (_values(pool.images), int(pool.stored)) == ([1, 2, 0], 2)
    assert _values(pool(_images(3), rng)) == [3]
    assert (_values(pool.images), int(pool.stored)) == ([1, 2, 3], 3)


def test_full_pool_exchanges_half_of_the_time() -> None:
    pool, rng = ImagePool(3, 4), _rng(1)
    pool(_images(1, 2, 3), rng)
    kept, kinds = {1.0, 2.0, 3.0}, []
    for new in map(float, range(4, 404)):
        (given,) = _values(pool(_images(new), rng))
        after = set(_values(pool.images))
        assert after == (kept if given == new else kept - {given} | {new})
        assert given == new or given in kept
        kinds.append(given == new)
        kept = after
    assert int(pool.stored) == 3
    assert 160 < sum(kinds) < 240, "six standard deviations would be 60"


def test_pool_exchanges_within_a_batch_and_chooses_each_place() -> None:
    places = []
    for seed in range(60):
        pool = ImagePool(3, 4)
        pool(_images(1, 2, 3), _rng())
        given = _values(pool(_images(7, 8), _rng(seed)))
        assert sorted(given + _values(pool.images)) == [1, 2, 3, 7, 8]
        places += given
    assert set(places) == {1, 2, 3, 7, 8}


def test_empty_pool_passes_images_on_and_no_gradient() -> None:
    image = _images(5.0).clone().requires_grad_()
    given = ImagePool(0, 4)(image, _rng())
    assert _values(given) == [5]
    assert not given.requires_grad


def test_each_step_changes_what_its_optimiser_owns(make_trainer) -> None:
    trainer = make_trainer("t", _config())
    networks = trainer.networks
    for step in range(2):
        batch = Batch(*(torch.rand(2, 1, 3, 32, 32) * 2 - 1), _rng(step), step)
        found = []
        rounds = trainer.learner.losses(batch)
        while True:
            before = {n: _state(net) for n, net in networks.items() if not n.startswith("pool")}
            if (turn := next(rounds, None)) is None:
                break
            trainer.optimise(*turn, 1.0)
            found.append({n for n in before if any((v != before[n][k]).any() for k, v in _state(networks[n]).items())})
        assert found == [set(names) for names in SIDES]


def test_resumed_training_ends_with_the_same_bits(make_trainer, crash, tmp_path: Path) -> None:
    config = _config(batch=2)
    whole = make_trainer("whole", config)
    card = whole.run()
    crash(make_trainer("cut", config), 5)
    resumed = make_trainer("cut", config)
    resumed.resume()
    assert resumed.step == 4
    assert int(resumed.networks["pool"].stored) == 2, "the pool comes from the checkpoint"
    assert resumed.run()["losses"] == card["losses"]
    for name in ("weights.safetensors", "log.jsonl", "samples/0000006.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    wanted = whole.networks.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in resumed.networks.state_dict().items())
    assert wanted["pool.images"].abs().sum() > 0


def test_trained_weights_translate_at_exact_size(make_trainer, tmp_path: Path) -> None:
    config = _config(iterations=2)
    make_trainer("t", config).run()
    translator = cyclegan.load(config, Resources(weights=tmp_path / "t/weights.safetensors"))
    image = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8)
    (result,) = translator([image], ["a"])
    assert (result.shape, result.dtype) == (image.shape, np.uint8)
    with pytest.raises(ValueError, match="cyclegan needs the weights"):
        cyclegan.load(config, Resources())

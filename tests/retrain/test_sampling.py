"""What is drawn when: ratios in every batch, sets that follow each other, and orders that a resume takes up."""

from collections.abc import Sequence
from itertools import islice
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import InfiniteSampler

from tasks.contracts.arm import Arm
from tasks.retrain.sampling import PhasedSampler, phases_of, turns


def sampler(name: str, *sizes: int, seed: int = 0, iterations: int = 10, batch: int = 4) -> PhasedSampler:
    dataset = SimpleNamespace(dataset=SimpleNamespace(datasets=[range(size) for size in sizes]))
    return PhasedSampler(dataset, seed, phases_of(Arm(name).drawing, iterations, batch))


def drawn(of: PhasedSampler, images: int) -> list[int]:
    numbers, positions = zip(*islice(iter(of), images), strict=True)
    assert numbers == tuple(range(of.skipped, of.skipped + images))
    return list(positions)


@pytest.mark.parametrize(("ratio", "batch"), [((3, 1), 4), ((1, 3), 4), ((1, 1), 2), ((2, 1, 1), 8), ((3, 1), 8)])
def test_a_batch_has_the_ratio_exactly(ratio: Sequence[int], batch: int) -> None:
    order = list(islice(turns(ratio), 10 * batch))
    for start in range(len(order) - batch):  # wherever it begins
        counts = [order[start : start + batch].count(i) for i in range(len(ratio))]
        assert counts == [weight * batch // sum(ratio) for weight in ratio]


def test_other_batches_have_the_ratio_on_average_and_never_miss_it_by_one() -> None:
    order = list(islice(turns((2, 1)), 12))
    assert [order[i : i + 4].count(0) for i in range(0, 12, 4)] == [3, 2, 3]
    assert order.count(0) == 8


def test_a_ratio_takes_every_image_of_each_set_before_one_again() -> None:
    order = drawn(sampler("3 real + 1 source", 6, 4), 16)
    assert sorted(i for i in order if i < 6) == sorted([*range(6), *range(6)])
    assert sorted(i for i in order if i >= 6) == [6, 7, 8, 9]


def test_sets_follow_each_other_at_the_iteration_that_the_share_says() -> None:
    order = drawn(sampler("source for 0.3 then real", 5, 7, iterations=10, batch=4), 40)
    assert {i >= 5 for i in order[:12]} == {True}
    assert {i >= 5 for i in order[12:]} == {False}
    mixed = drawn(sampler("source then 1 real + 1 source", 5, 7, iterations=4, batch=2), 8)
    assert [i >= 5 for i in mixed] == [True] * 4 + [False, True] * 2


def test_one_set_is_seen_as_alone() -> None:
    """The real images of fine-tuning come in the order in which a training on them alone sees them."""
    alone = list(islice(iter(InfiniteSampler(range(9), seed=5)), 20))
    order = drawn(sampler("source then real", 9, 7, seed=5, iterations=10, batch=4), 40)
    assert order[20:] == alone
    weighted = [i for i in drawn(sampler("1 real + 1 source", 9, 7, seed=5), 40) if i < 9]
    assert weighted == alone


@pytest.mark.parametrize("name", ["3 real + 1 source", "source then real", "source then 1 real + 2 source"])
def test_an_order_follows_from_the_seed_and_is_taken_up_again(name: str) -> None:
    whole = drawn(sampler(name, 8, 5), 40)
    assert whole == drawn(sampler(name, 8, 5), 40)
    assert whole != drawn(sampler(name, 8, 5, seed=1), 40)
    for after in (4, 16, 20, 36):
        resumed = sampler(name, 8, 5)
        resumed.skip(after)
        assert drawn(resumed, 40 - after) == whole[after:]


def test_no_other_random_numbers_are_drawn() -> None:
    before = torch.get_rng_state()
    drawn(sampler("3 real + 1 source", 8, 5), 40)
    assert torch.equal(before, torch.get_rng_state())

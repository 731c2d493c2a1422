"""Which step of a training is the best, and when there is no hope of a better one."""

import pytest

from tasks.contracts.translator_card import Validated
from tasks.translate.training.keeping import best_step, is_hopeless, remoteness


def history(*found: tuple[float, float | None]) -> list[Validated]:
    """Distance and accuracy, the source's own first."""
    return [Validated(step=10 * k, distance=d, colour=0, accuracy=a) for k, (d, a) in enumerate(found)]


def best(*found: tuple[float, float | None], margin: float = 0.02) -> tuple[int, str]:
    kept = best_step(history(*found), margin)
    return kept.step, kept.why


def test_without_a_judge_nearness_decides() -> None:
    assert best((0.1, None), (0.5, None), (0.3, None), (0.4, None)) == (20, "closest")
    assert best((9, None), (0.3, None), (0.3, None)) == (10, "closest"), "the first of equals"
    assert best((9, None), (-0.01, None), (0.3, None)) == (10, "closest"), "an unbiased estimate may be below 0"


def test_colours_count_as_much_as_features() -> None:
    """Patches of blue all over: features came nearer, in a training that went wrong."""
    own, *found = ((115.4, 134.8), (110.0, 137.4), (112.9, 905.9), (96.7, 1312.0))
    steps = [Validated(step=k, distance=d, colour=c) for k, (d, c) in enumerate((own, *found))]
    assert best_step(steps, 0.02).step == 1
    assert remoteness(steps[0], steps[0]) == 1
    assert remoteness(steps[3], steps[0]) == pytest.approx((96.7 / 115.4 + 1312 / 134.8) / 2)
    alike = Validated(step=0, distance=-0.1, colour=134.8)
    assert remoteness(steps[1], alike) == pytest.approx(137.4 / 134.8), "there is nothing to come nearer by"


def test_a_judge_rules_out_what_exchanges_content() -> None:
    found = ((0.9, 0.84), (0.5, 0.83), (0.2, 0.81), (0.1, 0.60))
    assert best(*found) == (10, "closest")
    assert best(*found, margin=0.03) == (20, "closest")
    assert best(*found, margin=1) == (30, "closest")


def test_where_no_step_keeps_the_accuracy_the_most_accurate_is_kept() -> None:
    found = [(0.9, 0.84), (0.5, 0.70), (0.2, 0.80), (0.1, 0.80)]
    assert best(*found) == (20, "most_accurate")
    assert best(*found, (0.8, 0.83)) == (40, "closest"), "one that keeps it is better than all that do not"


def test_hope_ends_after_so_many_validations_without_a_better_one() -> None:
    found = history((0.9, None), (0.5, None), (0.4, None), (0.6, None), (0.7, None))
    assert [is_hopeless(found[:n], 0, 2) for n in range(1, 6)] == [False, False, False, False, True]
    assert not is_hopeless(found, 0, 3)
    assert not is_hopeless(found, 0, None)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_best_step_is_an_earlier_best_or_the_newest(count: int) -> None:
    """The weights of no other step are there."""
    found = history((0.9, 0.84), (0.5, 0.7), (0.6, 0.8), (0.7, 0.83), (0.4, 0.5), (0.6, 0.9))
    before = best_step(found[:count], 0.02).step if count > 1 else None
    assert best_step(found[: count + 1], 0.02).step in (before, found[count].step)

"""The data-efficiency curve: what is read off it by hand, with the chance of it, and which arms it is of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.contracts.estimate import Estimate
from tasks.evaluate.efficiency import Chance, efficiency, reaching
from tasks.evaluate.labelled import labelled_images
from tasks.store.files import write_json
from tasks.store.recipe import Recipe
from tasks.store.store import Store

CUT = "translated(cut)"
LABELLED = {
    **{Arm(f"real[{n}]"): n for n in (10, 100)},
    **{Arm(f"real[{n}]+{CUT}"): n for n in (10, 100)},
    Arm("real"): 1000,
    Arm(f"real+{CUT}"): 1000,
}


def chances(scores: Mapping[str, float | None], spread: float = 0.0, seed: int = 0) -> dict[Arm, Chance]:
    rng = np.random.default_rng(seed)
    found = {}
    for arm, score in scores.items():
        samples = np.full(400, math.nan if score is None else score) + spread * rng.standard_normal(400)
        found[Arm(arm)] = Chance(Estimate(value=score), samples)
    return found


ALONE = {"real[10]": 0.2, "real[100]": 0.3, "real": 0.4}
WITH = {f"real[10]+{CUT}": 0.3, f"real[100]+{CUT}": 0.5, f"real+{CUT}": 0.6}


def test_a_score_is_read_off_a_straight_line_over_the_logarithm() -> None:
    images, scores = np.array([10.0, 100.0, 1000.0]), np.array([[0.3], [0.5], [0.6]])
    halfway = math.sqrt(11 * 101) - 1
    for target, expected in ((0.2, 10.0), (0.3, 10.0), (0.4, halfway), (0.5, 100.0), (0.6, 1000.0)):
        assert reaching(images, scores, np.array([target])) == pytest.approx([expected])
    assert np.isnan(reaching(images, scores, np.array([0.61])))


def test_a_curve_that_falls_again_is_taken_where_it_first_reaches_the_score() -> None:
    found = reaching(np.array([0.0, 9.0, 99.0]), np.array([[0.0], [0.4], [0.1]]), np.array([0.2]))
    assert found == pytest.approx([math.sqrt(10) - 1])


def test_what_a_partner_saves() -> None:
    found = efficiency(chances(ALONE | WITH), LABELLED)
    assert found is not None
    assert [curve.arm for curve in found.curves] == ["real", f"real+{CUT}"]
    assert [point.images for point in found.curves[0].points] == [10, 100, 1000]
    (saving,) = found.savings
    needed = math.sqrt(11 * 101) - 1
    assert (saving.images, saving.score, saving.fewest, saving.reached) == (1000, 0.4, 10, 1.0)
    assert saving.needed == pytest.approx(needed, abs=0.05)
    assert saving.saved.value == saving.saved.low == saving.saved.high == pytest.approx(1000 - needed, abs=0.05)


def test_the_partner_alone_is_its_curves_point_without_real_images() -> None:
    found = efficiency(chances(ALONE | WITH | {CUT: 0.45}), LABELLED)
    assert found is not None
    assert next((p.arm, p.images) for p in found.curves[1].points) == (CUT, 0)
    (saving,) = found.savings
    assert (saving.needed, saving.fewest, saving.saved.value) == (0, 0, 1000)


def test_what_never_reaches_the_score_saves_nothing_that_can_be_told() -> None:
    found = efficiency(chances(ALONE | dict.fromkeys(WITH, 0.35)), LABELLED)
    assert found is not None
    (saving,) = found.savings
    assert (saving.needed, saving.saved, saving.reached) == (None, Estimate(value=None), 0.0)


def test_where_chance_decides_whether_it_is_reached_the_low_end_is_open() -> None:
    found = efficiency(chances(ALONE | dict.fromkeys(WITH, 0.402), spread=0.01), LABELLED)
    assert found is not None
    (saving,) = found.savings
    assert saving.saved.low is None
    assert saving.saved.high == 990
    assert 0.5 < saving.reached < 1


def test_the_interval_holds_the_truth() -> None:
    """Curves that are seen through noise whose size the resamples know: 95 % of the intervals hold the true number."""
    truth, spread, hits = math.sqrt(11 * 101) - 1, 0.01, 0
    rng = np.random.default_rng(1)
    for run in range(200):
        seen = {arm: score + spread * rng.standard_normal() for arm, score in (ALONE | WITH).items()}
        found = efficiency(chances(seen, spread, run), LABELLED)
        assert found is not None
        low, high = found.savings[0].saved.low, found.savings[0].saved.high
        hits += low is not None and high is not None and low <= 1000 - truth <= high
    assert 0.91 <= hits / 200 <= 0.99


@pytest.mark.parametrize(
    ("scores", "labelled"),
    [
        ({"real": 0.4, "source": 0.3}, {Arm("real"): 50}),
        ({"real": 0.4, f"real+{CUT}": 0.5}, {Arm("real"): 50, Arm(f"real+{CUT}"): 50}),
        ({"real": 0.4, "real[10]": None}, {Arm("real"): 50, Arm("real[10]"): 10}),
    ],
)
def test_arms_that_differ_in_no_number_are_no_curve(scores: dict[str, float | None], labelled: dict[Arm, int]) -> None:
    assert efficiency(chances(scores), labelled) is None


def test_a_partner_without_real_images_alone_has_a_curve_and_no_saving() -> None:
    found = efficiency(chances(WITH), LABELLED)
    assert found is not None
    assert [curve.arm for curve in found.curves] == [f"real+{CUT}"]
    assert found.savings == ()


def test_how_many_were_labelled_is_in_the_models_cards(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    def evaluation(arm: str, images: int | None) -> Artifact:
        def card(folder: Path) -> None:
            sets = [{"dataset": "city", "images": images}, {"dataset": "sim", "images": 7}]
            write_json(folder / "card.json", {"train_sets": sets if images else []})

        model = store.build(Recipe("model", config={"arm": arm}, inputs={}, code="c"), card)
        recipe = Recipe("evaluation", config={"arm": arm}, inputs={"model": model}, code="c")
        return store.build(recipe, lambda folder: None)

    scored = {
        ("segmentation", Arm(arm), 0): evaluation(arm, images)
        for arm, images in {"real": 60, f"real[20]+{CUT}": 20, "source": 96, "real+source": None}.items()
    }
    assert labelled_images(scored) == {"segmentation": {"real": 60, f"real[20]+{CUT}": 20}}  # type: ignore[arg-type]

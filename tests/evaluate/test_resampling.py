"""What a resample draws as one: by analytic variances, and by how often equal arms get a verdict."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.statistics import World, tally
from tasks.contracts.comparison import Needs
from tasks.evaluate.images import ImageFacts
from tasks.evaluate.resampling import (
    Cluster,
    Support,
    block_weights,
    drive_weights,
    effective_number,
    resampled,
)
from tasks.evaluate.statistics import interval, with_seeds

Floats = NDArray[np.float64]


def facts(*lengths: int, none: int = 0) -> ImageFacts:
    """Drives of so many frames, and images of no drive; images in an order that is not that of time."""
    names = [f"d{i}" for i, n in enumerate(lengths) for _ in range(n)] + [None] * none
    order = np.random.default_rng(0).permutation(len(names))
    return ImageFacts("streets", tuple(names[i] for i in order), tuple(order.tolist()), ({},) * len(names))


def draw(of: ImageFacts | None, images: int, cluster: Cluster = "auto", resamples: int = 50) -> object:
    scores = np.random.default_rng(1).standard_normal((2, images))
    return resampled(cluster, of, images, [scores - scores.mean(1, keepdims=True)], resamples, 0)


@pytest.mark.parametrize(
    ("of", "cluster", "kind", "reason", "sequences"),
    [
        (facts(10, 10, 10, 10), "auto", "sequence", "many_drives", 4),
        (facts(20, 20, 20), "auto", "blocks", "few_drives", 3),
        (facts(60), "auto", "blocks", "few_drives", 1),
        (facts(50, *[1] * 10), "auto", "blocks", "few_drives", 11),  # they count for 1.4 of one length
        (facts(*[1] * 60), "auto", "image", "single_frames", 60),
        (facts(none=60), "auto", "image", "no_drives", None),
        (None, "auto", "image", "older", None),
        (facts(20, 20, none=20), "auto", "sequence", "many_drives", 22),  # 60² / (2 · 20² + 20) are 4.4
        (facts(20, 20, 20), "sequence", "sequence", "asked", 3),
        (facts(10, 10, 10, 10, 10, 10), "blocks", "blocks", "asked", 6),
        (facts(10, 10, 10, 10, 10, 10), "image", "image", "asked", 6),
        (facts(none=60), "blocks", "blocks", "asked", None),
        (facts(none=60), "sequence", "image", "no_drives", None),
    ],
)
def test_what_is_drawn_as_one_and_why(
    of: ImageFacts | None, cluster: Cluster, kind: str, reason: str, sequences: int | None
) -> None:
    images = len(of.sequences) if of else 60
    found = draw(of, images, cluster).clusters  # type: ignore[attr-defined]
    assert (found.kind, found.reason, found.sequences) == (kind, reason, sequences)
    assert found.benchmark == (of and "streets")
    assert 1 <= found.effective <= images
    assert (found.block is not None) == (kind == "blocks")


def test_effective_number_of_unlike_groups() -> None:
    assert effective_number(np.array([7, 7, 7])) == pytest.approx(3)
    assert effective_number(np.array([30, 10, 0])) == pytest.approx(1600 / 1000)
    assert effective_number(np.array([], int)) == 0


def test_whole_drives_are_drawn() -> None:
    drives = [np.array([0, 3]), np.array([1]), np.array([2, 4, 5])]
    weights = drive_weights(drives, 200, 0)
    assert (weights[:, 0] == weights[:, 3]).all()
    assert (weights[:, 2] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 2]].sum(1) == 3).all()


def test_the_variance_over_drives_is_the_analytic_one() -> None:
    """Of a mean over G drives of one length, the cluster bootstrap's is the variance of drive means by G."""
    rng = np.random.default_rng(2)
    means = rng.standard_normal(12)
    values = np.repeat(means, 5) + rng.standard_normal(60)
    drives = list(np.arange(60).reshape(12, 5))
    weights = drive_weights(drives, 40_000, 0)
    by_drive = np.array([values[d].mean() for d in drives])
    assert (weights @ values / 60).var() == pytest.approx(by_drive.var() / 12, rel=0.03)


def test_blocks_are_runs_of_frames_of_one_drive_and_all_frames_are_drawn_as_often() -> None:
    drives = [np.arange(0, 20), np.arange(20, 23), np.arange(23, 43)]
    weights = block_weights(drives, 5, 4000, 0)
    assert (weights.sum(1) == 43).all()
    assert weights[:, 20:23].mean() == pytest.approx(1, abs=0.1)
    assert weights.mean(0) == pytest.approx(np.ones(43), abs=0.12)
    assert (block_weights(drives, 5, 10, 0) == weights[:10]).all()
    assert (weights[:, 20] == weights[:, 21]).mean() > 0.9  # a drive shorter than a block is drawn whole
    one = block_weights([np.arange(30)], 30, 20, 0)
    assert (one == 1).all()  # one block, whatever it begins with


def test_the_variance_of_blocks_is_that_of_their_weights_on_lags() -> None:
    """Of a mean, the circular block bootstrap's variance is the sum of 1 - k / length times the circular R(k), by N."""
    rng = np.random.default_rng(3)
    values = np.convolve(rng.standard_normal(129), np.ones(10), "valid")
    values -= values.mean()
    weights = block_weights([np.arange(120)], 8, 40_000, 0)
    circular = [float(values @ np.roll(values, k)) / 120 for k in range(8)]
    expected = (circular[0] + 2 * sum((1 - k / 8) * circular[k] for k in range(1, 8))) / 120
    assert (weights @ values / 120).var() == pytest.approx(expected, rel=0.03)


def test_scaled_resamples_are_students_t() -> None:
    from scipy.stats import t

    normal = np.random.default_rng(4).standard_normal((1, 200_000)) * 0.1 + 0.5
    support = Support(100, 100, freedom=4.0, correction=5 / 4)
    scale = support.scale(200_000, 0)
    low, high = interval(with_seeds(normal, np.array([0.5]), np.random.default_rng(0), scale))
    half = t.ppf(0.975, 4) * 0.1 * math.sqrt(5 / 4)
    assert (low, high) == (pytest.approx(0.5 - half, rel=0.02), pytest.approx(0.5 + half, rel=0.02))
    assert Support(100, 100).scale(10, 0) is None
    assert np.isnan(Support(100, 100, freedom=0.5).scale(10, 0)).all()  # type: ignore[arg-type]


def test_a_class_rests_on_the_drives_that_show_it() -> None:
    of = facts(10, 10, 10, 10, 10, 10)
    found = draw(of, 60)
    drive = np.array([int(s[1:]) for s in of.sequences if s])
    whole = found.support(np.ones(60, bool))  # type: ignore[attr-defined]
    assert (whole.freedom, whole.correction, whole.lacking) == (pytest.approx(5), pytest.approx(6 / 5), None)
    four = found.support(drive < 4)  # type: ignore[attr-defined]
    assert (four.shown, four.freedom, four.lacking) == (40, pytest.approx(3), None)
    three = found.support(drive < 3)  # type: ignore[attr-defined]
    assert three.lacking == Needs(kind="least", drives=4, shown=True)
    assert found.support(np.zeros(60, bool)).lacking is not None  # type: ignore[attr-defined]


def test_too_little_for_any_verdict() -> None:
    one = draw(facts(40), 40, "sequence")
    assert not one.clusters.enough  # type: ignore[attr-defined]
    assert one.support(np.ones(40, bool)).lacking == Needs(kind="least", drives=4)  # type: ignore[attr-defined]
    short = draw(facts(24), 24)
    assert (short.clusters.block, short.clusters.enough) == (7, False)  # type: ignore[attr-defined]
    lacking = short.support(np.ones(24, bool)).lacking  # type: ignore[attr-defined]
    assert lacking.images > 24
    single = draw(None, 1)
    assert not single.clusters.enough  # type: ignore[attr-defined]
    assert single.support(np.ones(1, bool)).lacking == Needs(kind="least", images=6)  # type: ignore[attr-defined]


# What docs/results/statistics.md measures, small: how often equal arms get a verdict, and intervals hold a difference


@pytest.mark.parametrize(
    "world", [World(20, 25, 0.5, "drive"), World(5, 40, 0.8, "drive"), World(1, 171, 0.8, "lag")], ids=str
)
def test_equal_arms_on_drives_get_few_verdicts(world: World) -> None:
    before, after = tally(world, "image", 40, 200), tally(world, "auto", 100, 200)
    assert before.false > 0.15
    assert before.held < 0.7
    assert after.false < 0.13
    assert after.held > 0.87
    assert after.worth < world.drives * world.frames / 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "world", [World(171, 1, 0.0, "lag"), World(20, 25, 0.5, "drive"), World(5, 40, 0.3, "drive")], ids=str
)
def test_verdicts_keep_what_they_promise(world: World) -> None:
    found = tally(world, "auto", 1000, 1000)
    assert 0.03 <= found.false <= 0.08
    assert 0.92 <= found.held <= 0.97

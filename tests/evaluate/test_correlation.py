"""Autocorrelation, block length and independent images, against the papers' formulas on processes that are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.evaluate.correlation import (
    autocorrelation,
    best_block,
    block_length,
    independent,
    independent_drives,
    long_run,
    missed,
    window,
)

Floats = NDArray[np.float64]


def ar1(rho: float, images: int, seed: int = 0) -> Floats:
    """A stationary first-order autoregression of variance 1, ``[N]``."""
    found = np.random.default_rng(seed).standard_normal(images)
    for t in range(1, images):
        found[t] = rho * found[t - 1] + math.sqrt(1 - rho * rho) * found[t]
    return found


def whole(images: int) -> list[NDArray[np.intp]]:
    return [np.arange(images)]


def test_autocorrelation_is_that_of_the_definition_within_drives() -> None:
    series, drives = np.array([[1.0, 2.0, 4.0, -3.0, -4.0]]), [np.array([0, 1, 2]), np.array([3, 4])]
    total = 1 + 4 + 16 + 9 + 16
    expected = [1, (2 + 8 + 12) / total, 4 / total]  # no product of the third and the fourth frame: two drives
    assert autocorrelation(series, drives) == pytest.approx(expected)
    scaled = np.concatenate([series, 100 * series, np.zeros((1, 5))])
    assert autocorrelation(scaled, drives) == pytest.approx(expected)
    assert autocorrelation(np.zeros((2, 5)), drives) == pytest.approx([1, 0, 0])


def test_flat_top_window_by_hand() -> None:
    # N = 100: within 2 sqrt(2 / 100) = 0.283; the last lag beyond is 3, and so M is 6.
    correlation = np.array([1, 0.8, 0.6, 0.4, *[0.1] * 60])
    assert window(correlation, 100) == pytest.approx([1, 1, 1, 1, 2 / 3, 1 / 3, 0])
    assert long_run(correlation, window(correlation, 100)) == pytest.approx(
        1 + 2 * (0.8 + 0.6 + 0.4 + 0.2 / 3 * 1 + 0.1 / 3)
    )
    # Nothing beyond: M is 2.
    assert window(np.array([1, *[0.1] * 60]), 100) == pytest.approx([1, 1, 0])


@pytest.mark.parametrize("rho", [0.3, 0.5, 0.8])
def test_best_block_of_an_autoregression_is_that_of_its_formula(rho: float) -> None:
    """For AR(1), G = 2 rho / (1 - rho)² and g(0) = (1 + rho) / (1 - rho): length³ = 6 rho² / (1 - rho²)² N."""
    images = 40_000
    lengths = [best_block(autocorrelation(ar1(rho, images, s)[None], whole(images)), images) for s in range(5)]
    theory = (6 * rho**2 / (1 - rho**2) ** 2 * images) ** (1 / 3)
    assert np.mean(lengths) == pytest.approx(theory, rel=0.06)
    exact = rho ** np.arange(2000.0)
    assert best_block(exact, images) == pytest.approx(theory, rel=0.03)


def test_bounds_of_the_block_length() -> None:
    constant = np.full(90, 1.0)
    assert best_block(constant, 90) <= min(3 * math.sqrt(90), 30)
    independent_frames = np.array([1.0, *[0.0] * 170])
    assert best_block(independent_frames, 171) == 1
    assert block_length(independent_frames, 171) == math.ceil(1.3 * math.sqrt(171)) == 17
    assert block_length(np.array([1.0]), 1) == 1


def test_blocks_miss_the_part_of_a_long_correlation_that_their_weights_leave_out() -> None:
    exact = 0.8 ** np.arange(500.0)
    kept = 1 + 2 * sum((1 - k / 17) * 0.8**k for k in range(1, 17))
    all_ = long_run(exact, window(exact, 20_000))
    assert all_ == pytest.approx(9, rel=0.02)
    assert missed(exact, 20_000, 17) == pytest.approx(all_ / kept)
    assert missed(np.array([1.0, -0.3, 0, 0, 0, 0, 0, 0]), 1000, 4) >= 1


def test_independent_images_of_frames_and_of_drives() -> None:
    exact = 0.8 ** np.arange(5000.0)
    assert independent(exact, 40_000) == pytest.approx(40_000 / 9, rel=0.02)
    assert independent(np.array([1.0, *[0.0] * 99]), 100) == 100
    rng = np.random.default_rng(1)
    drives = [np.arange(i, i + 25) for i in range(0, 5000, 25)]
    levels = np.repeat(rng.standard_normal((8, 200)), 25, axis=1)
    alike = math.sqrt(0.5) * levels + math.sqrt(0.5) * rng.standard_normal((8, 5000))
    alike -= alike.mean(1, keepdims=True)
    # Kish's design effect: 1 + (25 - 1) · 0.5 = 13.
    assert independent_drives(alike, drives) == pytest.approx(5000 / 13, rel=0.06)
    apart = rng.standard_normal((8, 5000))
    assert independent_drives(apart - apart.mean(1, keepdims=True), drives) > 4700
    assert independent_drives(np.zeros((2, 5000)), drives) == 200  # two models that are the same

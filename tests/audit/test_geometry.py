"""Displacements that are known, under changes of colour that must not matter."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.audit.geometry import displacement, gradient_magnitude, luminance

Pixels = NDArray[np.uint8]


def scene(seed: int = 0, width: int = 240, height: int = 180, margin: int = 0) -> Pixels:
    """Coloured boxes and discs over each other, ``margin`` pixels larger on each side."""
    rng = np.random.default_rng(seed)
    image = np.full((height + 2 * margin, width + 2 * margin, 3), 120, np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))
        colour = tuple(int(c) for c in rng.integers(20, 236, 3))
        if rng.random() < 0.5:
            cv2.circle(image, (x, y), int(rng.integers(4, 20)), colour, -1)
        else:
            cv2.rectangle(image, (x, y), (x + int(rng.integers(3, 40)), y + int(rng.integers(3, 40))), colour, -1)
    return image


def moved(dx: int, dy: int) -> tuple[Pixels, Pixels]:
    """A view, and one in which everything lies (dx, dy) further right and down; new content comes in at the edges."""
    large = scene(margin=10)
    return large[10:-10, 10:-10], large[10 - dy : 190 - dy, 10 - dx : 250 - dx]


def repainted(image: Pixels) -> Pixels:
    """Negative, with a cast, darker: what phase correlation of colours would not survive."""
    return np.rint((255 - image.astype(float)) * [0.9, 0.7, 0.5] + [5, 20, 40]).astype(np.uint8)


def noisy(image: Pixels) -> Pixels:
    return (image + np.random.default_rng(1).normal(0, 10, image.shape)).clip(0, 255).astype(np.uint8)


def blurred(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)


def unchanged(image: Pixels) -> Pixels:
    return image


@pytest.mark.parametrize("change", [unchanged, repainted, noisy, blurred])
@pytest.mark.parametrize(("dx", "dy"), [(8, 0), (-8, 3), (1, -2)])
def test_known_shifts(dx: int, dy: int, change: Callable[[Pixels], Pixels]) -> None:
    source, shifted = moved(dx, dy)
    assert displacement(source, change(shifted)) == pytest.approx((dx, dy), abs=0.5)


@pytest.mark.parametrize("change", [repainted, noisy, blurred])
def test_what_did_not_move_is_at_0(change: Callable[[Pixels], Pixels]) -> None:
    assert displacement(scene(), change(scene())) == pytest.approx((0, 0), abs=0.3)


def test_identity_is_exactly_0() -> None:
    assert displacement(scene(), scene()) == (0.0, 0.0)


def test_half_a_pixel() -> None:
    half = cv2.warpAffine(scene(), np.array([[1, 0, 0.5], [0, 1, 0]]), (240, 180), borderMode=cv2.BORDER_REPLICATE)
    assert displacement(scene(), np.asarray(half, np.uint8)) == pytest.approx((0.5, 0), abs=0.25)


def test_flat_images_do_not_move() -> None:
    flat = np.full((180, 240, 3), 90, np.uint8)
    assert displacement(flat, flat + 30) == (0, 0)
    assert displacement(flat, scene()) == (0, 0)
    assert displacement(scene(), flat) == (0, 0)


def test_unlike_images_have_no_displacement() -> None:
    assert np.isnan(displacement(scene(0), scene(1))).all()
    noise = np.random.default_rng(0).integers(0, 256, (180, 240, 3), dtype=np.uint8)
    assert np.isnan(displacement(scene(), noise)).all()


def test_slivers_have_no_displacement() -> None:
    assert np.isnan(displacement(scene()[:5], noisy(scene()[:5]))).all()


def test_another_size_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(180, 240, 3\), the translated image \(90, 240, 3\)"):
        displacement(scene(), scene()[:90])


def test_a_step_of_n_grey_levels_has_gradient_n() -> None:
    step = np.zeros((9, 9, 3), np.uint8)
    step[:, 5:] = 40
    gradient = gradient_magnitude(luminance(step))
    assert gradient[4] == pytest.approx([0, 0, 0, 0, 40, 40, 0, 0, 0], abs=1e-3)
    across = gradient_magnitude(luminance(step.transpose(1, 0, 2)))
    np.testing.assert_allclose(across, gradient.T, atol=1e-3)


def test_luminance_is_that_of_bt601() -> None:
    assert luminance(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))[0] == pytest.approx(
        [76.245, 149.685, 29.07]
    )

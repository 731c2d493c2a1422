import cv2
import numpy as np
import pytest

from tasks.datasets.images import read_image
from tasks.translate.methods import fda, identity, reinhard
from tasks.translate.methods.base import Resources
from tasks.translate.sections.fda import Fda
from tasks.translate.sections.identity import Identity
from tasks.translate.sections.reinhard import Reinhard


def _lab(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float64)


def test_identity_changes_nothing(make_table) -> None:
    image = read_image(make_table("a", 1)[0].image)
    translator = identity.load(Identity(method="identity"), Resources())
    assert np.array_equal(translator([image], ["a"])[0], image)


def test_reinhard_reaches_the_target_statistics(make_table) -> None:
    source, target = make_table("source", 1, (80, 60), mean=110), make_table("target", 6, (80, 60), mean=140)
    translator = reinhard.load(Reinhard(method="reinhard"), Resources(target))
    labs = [_lab(read_image(s.image)) for s in target]
    mean, std = (np.mean([f(x, axis=0) for x in labs], axis=0) for f in (np.mean, np.std))
    image = read_image(source[0].image)
    result = _lab(translator([image], ["x"])[0])
    assert abs(_lab(image).mean(axis=0) - mean).max() > 5
    assert result.mean(axis=0) == pytest.approx(mean, abs=0.6)
    assert result.std(axis=0) == pytest.approx(std, abs=0.8)


def test_reinhard_shifts_a_flat_image(make_table) -> None:
    translator = reinhard.load(Reinhard(method="reinhard"), Resources(make_table("target", 2)))
    flat = np.full((8, 8, 3), 50, np.uint8)
    result = translator([flat], ["x"])[0]
    assert (result == result[0, 0]).all()
    assert (result != 50).any()


def test_reinhard_measures_a_seeded_subset(make_table) -> None:
    table = make_table("target", 5)
    a, b, c = (reinhard.set_statistics(table, 2, seed)[0] for seed in (1, 1, 3))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_fda_with_a_tiny_beta_is_the_identity(make_table) -> None:
    source, target = make_table("source", 1, (80, 60)), make_table("target", 2, (64, 48), mean=200)
    image = read_image(source[0].image)
    for beta in (0.0, 0.001):
        translator = fda.load(Fda(method="fda", beta=beta), Resources(target))
        assert np.array_equal(translator([image], ["x"])[0], image)


def test_fda_swaps_exactly_the_window() -> None:
    rng = np.random.default_rng(0)
    # Low contrast: clipping to 0-255 and rounding would blur the spectrum.
    image, target = (rng.integers(100, 156, (32, 48, 3)).astype(np.uint8) for _ in range(2))
    result = fda.swap_amplitudes(image, target, 2)
    before, style, after = (np.fft.fft2(x.astype(float), axes=(0, 1)) for x in (image, target, result))
    low = (abs(np.fft.fftfreq(32, 1 / 32)) <= 2)[:, None] & (abs(np.fft.fftfreq(48, 1 / 48)) <= 2)
    noise = 32 * 48 * 0.03  # rounding to whole values
    assert abs(abs(after[low]) - abs(style[low])).max() < noise < abs(abs(after[low]) - abs(before[low])).max()
    assert abs(after[~low] - before[~low]).max() < noise
    large = low & (abs(after) > 10 * noise).all(axis=2)
    assert abs(np.angle(after[large] / before[large])).max() < 0.1


def test_fda_chooses_by_seed_and_id(make_table) -> None:
    target = make_table("target", 8, (64, 48))
    image = read_image(target[0].image)

    def run(seed: int, sample_id: str) -> bytes:
        return fda.load(Fda(method="fda", beta=0.1, seed=seed), Resources(target))([image], [sample_id])[0].tobytes()

    assert run(0, "a") == run(0, "a")
    assert len({run(0, i) for i in "abcdefgh"}) > 2
    assert len({run(seed, "a") for seed in range(8)}) > 2


@pytest.mark.parametrize(("module", "config"), [(reinhard, Reinhard(method="reinhard")), (fda, Fda(method="fda"))])
def test_no_target_images_is_an_error(module, config, make_table) -> None:
    with pytest.raises(ValueError, match="needs target images"):
        module.load(config, Resources(make_table("empty", 0)))

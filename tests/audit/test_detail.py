"""What translations of known harm keep of a drawn street: colour changes keep detail, blur and shifts lose it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.audit.detail import DetailMaps, contrast_gain, measure_detail
from tasks.audit.geometry import luminance
from tasks.contracts.audit_check import DETAIL_PARTS
from tasks.datasets.errors import ImageError
from tasks.datasets.images import read_image
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.files import write_png

Pixels = NDArray[np.uint8]
ROAD, SIGN, POLE, FENCE = range(4)
WIDTH, HEIGHT = 160, 120
INFO = TableInfo(
    dataset="drawn",
    classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(("Road", "Sign", "Pole", "Fence"))),
    detection=(),
    encoding=MaskEncoding(kind="index", indices={i: i for i in range(4)}),
    boxes_from=None,
)


def drawn(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> tuple[Pixels, Pixels]:
    """An image with its mask: buildings with windows, grain, two poles, and a chequered sign apart from both."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 110, np.uint8)
    for _ in range(30):
        x, y = int(rng.integers(width)), int(rng.integers(height // 2))
        colour = tuple(int(c) for c in rng.integers(60, 180, 3))
        cv2.rectangle(image, (x, y), (x + int(rng.integers(6, 30)), y + int(rng.integers(6, 40))), colour, -1)
    image[height // 2 :: 6, ::2] += 12
    image = np.asarray(image + rng.normal(0, 2, (height, width, 1)), np.float64)
    mask = np.full((height, width), ROAD, np.uint8)
    for x in (20, 130):
        mask[10:110, x : x + 3] = POLE
        image[10:110, x : x + 3] = (70, 75, 80)
    mask[40:64, 60:84] = SIGN
    image[40:64, 60:84] = np.where(np.indices((24, 24)).sum(0) // 4 % 2, 190, 60)[..., None]
    return np.rint(image.clip(0, 255)).astype(np.uint8), mask


IMAGE, MASK = drawn()


def whole(change: Callable[[Pixels], Pixels]) -> dict[str, float]:
    return dict(zip(DETAIL_PARTS, DetailMaps.of(IMAGE, change(IMAGE)).measure(), strict=True))


def as_pixels(values: NDArray[np.floating]) -> Pixels:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def blurred(image: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.uint8)


def noisy(image: Pixels, deviation: float = 6) -> Pixels:
    return as_pixels(image + np.random.default_rng(7).normal(0, deviation, image.shape))


COLOUR_CHANGES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "contrast up": lambda image: as_pixels((image.astype(float) - 120) * 1.3 + 120),
    "contrast down": lambda image: as_pixels((image.astype(float) - 120) * 0.6 + 120),
    "brighter": lambda image: as_pixels(image * 1.25),
    "cast": lambda image: as_pixels(image * np.array([1.15, 1, 0.75]) + [10, 0, -10]),
}


def test_identity_keeps_exactly_all() -> None:
    assert DetailMaps.of(IMAGE, IMAGE.copy()).measure() == (1, 1, 1)
    assert DetailMaps.of(IMAGE, IMAGE.copy()).measure(MASK == SIGN) == (1, 1, 1)


@pytest.mark.parametrize("name", COLOUR_CHANGES)
def test_changes_of_colour_keep_detail(name: str) -> None:
    kept = whole(COLOUR_CHANGES[name])
    assert min(kept.values()) > 0.9, kept


def test_blur_loses_detail() -> None:
    kept = whole(blurred)
    assert kept["gradient"] < 0.8
    assert kept["edges"] < 0.7
    assert kept["high_band"] < 0.05


def test_blur_that_gains_contrast_is_still_blur() -> None:
    kept = whole(lambda image: as_pixels((blurred(image).astype(float) - 120) * 1.5 + 120))
    assert max(kept["gradient"], kept["edges"], kept["high_band"]) < 0.8


def test_noise_adds_no_detail_and_loses_little() -> None:
    kept = whole(noisy)
    assert min(kept.values()) > 0.8, kept
    lost = whole(lambda image: noisy(blurred(image), 15))
    assert lost["high_band"] < 0.1  # its bare energy is more than the source's
    assert lost["gradient"] < 0.85


def test_a_shift_and_a_flat_image_lose_the_high_band() -> None:
    assert whole(lambda image: np.roll(image, 2, axis=1))["high_band"] < 0.3
    kept = whole(lambda image: np.full_like(image, 90))
    assert (kept["edges"], kept["high_band"]) == (0, 0)
    assert kept["gradient"] < 0.3


def test_gradient_is_the_weighted_similarity_of_its_definition() -> None:
    def steps(height: int, second: int) -> Pixels:
        image = np.zeros((60, 120, 3), np.uint8)
        image[:, 40:] = height
        image[:, 80:] = height + second
        return image

    assert DetailMaps.of(steps(40, 20), steps(80, 40)).measure() == pytest.approx((1, 1, 1))  # twice the contrast
    # Nothing is left: gradients of 40 and 20 against 0. Each weighs as much as it is high; flat areas weigh nothing.
    lost = DetailMaps.of(steps(40, 20), steps(0, 0))
    assert lost.measure()[0] == pytest.approx((40 * 170 / (40**2 + 170) + 20 * 170 / (20**2 + 170)) / 60)
    second = np.zeros((60, 120), bool)
    second[:, 60:] = True
    assert lost.measure(second)[0] == pytest.approx(170 / (20**2 + 170))


def test_edges_within_1_px_are_found() -> None:
    def line(x: int) -> Pixels:
        image = np.full((40, 60, 3), 100, np.uint8)
        image[:, x:] = 160
        return image

    assert DetailMaps.of(line(30), line(31)).measure()[1] == 1
    assert DetailMaps.of(line(30), line(33)).measure()[1] == 0
    both = line(30)
    both[:, 50:] = 40  # one edge of two is new: precision 1/2, recall 1
    assert DetailMaps.of(line(30), both).measure()[1] == pytest.approx(2 / 3, abs=0.02)


def test_high_band_is_the_amplitude_left_of_what_is_above_half_nyquist() -> None:
    x = np.arange(240)
    coarse = 60 * np.sin(2 * np.pi * x / 40)
    fine = 20 * np.cos(np.pi * x)  # at the Nyquist frequency

    def image(amplitude: float, added: float = 0) -> Pixels:
        other = added * np.cos(np.pi * np.arange(120))[:, None]  # fine detail that the source does not have
        return as_pixels(np.broadcast_to((125 + coarse + amplitude * fine + other)[..., None], (120, 240, 3)))

    assert DetailMaps.of(image(1), image(0.5)).measure()[2] == pytest.approx(0.5, abs=0.05)
    assert DetailMaps.of(image(1), image(0.5, added=20)).measure()[2] == pytest.approx(0.5, abs=0.05)
    assert DetailMaps.of(image(1), image(0)).measure()[2] == pytest.approx(0, abs=0.02)
    assert DetailMaps.of(image(0.5), image(1)).measure()[2] == 1


def test_an_image_without_detail_has_none_to_keep() -> None:
    flat = np.full((40, 60, 3), 77, np.uint8)
    assert np.isnan(DetailMaps.of(flat, IMAGE[:40, :60]).measure()).all()


@pytest.mark.parametrize(("factor", "gain"), [(1.3, 1.3), (0.5, 0.5), (0.1, 0.25), (-1, 0.25)])
def test_gain(factor: float, gain: float) -> None:
    plane = luminance(IMAGE)
    assert contrast_gain(plane, factor * plane + 20) == pytest.approx(gain, rel=1e-3)


def test_gain_follows_neither_blur_nor_a_repainted_part() -> None:
    plane = luminance(IMAGE)
    assert contrast_gain(plane, luminance(blurred(IMAGE))) == pytest.approx(1, abs=0.1)
    repainted = plane.copy()
    repainted[:, :40] = 200
    assert contrast_gain(plane, repainted) == pytest.approx(1, abs=0.02)


class World:
    """Tables of drawn images on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def sample(self, name: str, image: Pixels, mask: Pixels | None) -> Sample:
        path = self.folder / f"{name}.png"
        write_png(path, image)
        if mask is not None:
            write_png(self.folder / f"{name}_mask.png", mask)
        label = self.folder / f"{name}_mask.png" if mask is not None else None
        return Sample(name, path, label, image.shape[1], image.shape[0], "train", "", None, None)

    def table(self, samples: list[Sample]) -> SampleTable:
        return SampleTable.from_samples(samples, INFO, self.folder)

    def source(self, images: int) -> list[Sample]:
        return [self.sample(f"s{n}", *drawn(n)) for n in range(images)]

    def translated(self, samples: list[Sample], change: Callable[[int, Pixels], Pixels]) -> list[Sample]:
        made = []
        for n, sample in enumerate(samples):
            path = self.folder / "translated" / f"{sample.id}.png"
            write_png(path, change(n, read_image(sample.image)))
            made.append(replace(sample, image=path))
        return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "translated").mkdir()
    return World(tmp_path)


def test_identity_of_a_set(world: World) -> None:
    source = world.table(world.source(3))
    found = measure_detail(source, source, ("Pole", "Sign", "Sign", "Fence", "no such class"), 0)
    assert found.ids == ("s0", "s1", "s2")
    assert [d.region for d in found.details] == ["image", "Pole", "Sign"]  # no image shows a Fence
    for detail in found.details:
        assert detail.images == 3
        for part in DETAIL_PARTS:
            rate = getattr(detail, part)
            assert (rate.value, rate.low, rate.high) == (1, 1, 1)
    assert found.per_image["shift"].tolist() == [0, 0, 0]
    assert found.worst == {"image": (), "Pole": (), "Sign": ()}


def test_a_blurred_sign_shows_in_signs_only(world: World) -> None:
    def blur_sign(n: int, image: Pixels) -> Pixels:
        result = image.copy()
        if n != 1:
            result[40:64, 60:84] = blurred(image)[40:64, 60:84]
        return result

    samples = world.source(3)
    found = measure_detail(world.table(samples), world.table(world.translated(samples, blur_sign)), ("Sign", "Pole"), 0)
    image, sign, pole = found.details
    for part in DETAIL_PARTS:
        signs, poles, everything = (getattr(d, part).value for d in (sign, pole, image))
        assert signs < 0.75
        assert poles > 0.98
        assert signs < everything < 1
    assert set(found.worst["Sign"]) == {"s0", "s2"}
    assert found.per_image["gradient"][1] == 1
    assert sign.high_band.low is not None
    assert sign.high_band.high is not None
    assert sign.high_band.low < sign.high_band.value < sign.high_band.high


def test_worst_come_first_and_are_at_most_12(world: World) -> None:
    samples = [world.sample(f"s{n}", IMAGE, MASK) for n in range(14)]
    share = [5 * n % 14 / 13 for n in range(14)]  # of blur mixed in
    made = world.translated(samples, lambda n, image: as_pixels((1 - share[n]) * image + share[n] * blurred(image)))
    found = measure_detail(world.table(samples), world.table(made), ("Sign",), 0)
    order = tuple(f"s{n}" for n in np.argsort(share)[::-1])
    assert found.worst == {"image": order[:12], "Sign": order[:12]}


def test_thin_regions_of_under_30_pixels_are_skipped(world: World) -> None:
    image, mask = drawn()
    few = np.full_like(mask, ROAD)
    few[0, :29] = FENCE
    few[30, :30] = POLE
    samples = [world.sample("a", image, few), world.sample("b", image, None)]
    found = measure_detail(world.table(samples), world.table(samples), ("Fence", "Pole"), 0)
    assert [(d.region, d.images) for d in found.details] == [("image", 2), ("Pole", 1)]


def test_a_flat_image_counts_nowhere(world: World) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 80, np.uint8)
    samples = [world.sample("flat", flat, None)]
    found = measure_detail(world.table(samples), world.table(samples), (), 0)
    (detail,) = found.details
    assert (detail.images, detail.gradient.value, detail.edges.value, detail.high_band.value) == (0, None, None, None)
    assert all(np.isnan(found.per_image[part]).all() for part in DETAIL_PARTS)
    assert found.per_image["shift"].tolist() == [0]


def test_an_empty_set(world: World) -> None:
    source = world.table(world.source(1))
    found = measure_detail(source, source.take([]), ("Sign",), 0)
    assert (found.ids, [d.images for d in found.details]) == ((), [0])


def test_variants_are_of_their_source_and_resampled_together(world: World) -> None:
    samples = world.source(2)
    kept = world.translated(samples, lambda n, image: image if n == 0 else blurred(image))
    variants = [replace(s, id=f"{s.id}__v{k}", extra={"of": s.id}) for s in kept for k in range(4)]
    found = measure_detail(world.table(samples), world.table(variants), (), 0)
    assert found.ids[:2] == ("s0__v0", "s0__v1")
    rate = found.details[0].high_band
    assert rate.high == 1  # one resample in four draws the first source only
    assert rate.low == pytest.approx(found.per_image["high_band"][7])


def test_a_draw_of_images(world: World) -> None:
    source = world.table(world.source(6))
    found = measure_detail(source, source, (), 3, images=2)
    assert len(found.ids) == len(found.per_image["shift"]) == 2
    assert set(found.ids) < set(source.rows["id"].to_pylist())
    assert measure_detail(source, source, (), 3, images=2).ids == found.ids


def test_a_shift_is_reported(world: World) -> None:
    samples = world.source(1)
    found = measure_detail(
        world.table(samples),
        world.table(world.translated(samples, lambda _, image: np.roll(image, (3, 4), (0, 1)))),
        (),
        0,
    )
    assert found.per_image["shift"][0] == pytest.approx(5, abs=0.5)


def test_errors_name_the_image(world: World) -> None:
    samples = world.source(2)
    source = world.table(samples)
    with pytest.raises(ValueError, match=r"image 's1' is of 's1', which .* does not have; translate it again"):
        measure_detail(source.take([0]), source, (), 0)
    small = world.sample("small", IMAGE[:60], None)
    with pytest.raises(ValueError, match=r"small.png: image 's1' is 160x60, but its source 's1' 160x120"):
        measure_detail(source, world.table([replace(small, id="s1")]), (), 0)
    lying = replace(small, id="s1", height=HEIGHT)  # the table is right, the file is not
    with pytest.raises(ValueError, match=r"small.png: image 's1' is 160x60, but its source 's1' 160x120"):
        measure_detail(source, world.table([lying]), (), 0)
    cropped = world.table([world.sample("cropped", IMAGE, MASK[:60])])
    with pytest.raises(ImageError, match=r"cropped_mask.png: is 160x60, but its image 160x120"):
        measure_detail(cropped, cropped, ("Sign",), 0)


def test_speed(world: World) -> None:
    image, mask = drawn(0, 480, 360)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        start = time.perf_counter()
        for _ in range(5):
            maps = DetailMaps.of(image, noisy(image))
            for region in (None, mask == SIGN, mask == POLE):
                maps.measure(region)
        seconds = (time.perf_counter() - start) / 5
    finally:
        cv2.setNumThreads(threads)
    print(f"{1000 * seconds:.1f} ms for an image of 480 x 360")
    assert seconds < 1

"""The domain gap, on planted differences."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import jensenshannon

from tasks.audit.gap import class_colours, measure_gap, paired, radial_spectrum
from tasks.audit.patches import patch_features
from tasks.datasets.colour import cielab
from tasks.datasets.divergence import jensen_shannon
from tasks.datasets.errors import ImageError
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo

NAMES = ("road", "sky", "car")
COLOURS = {0: (90, 90, 90), 1: (120, 170, 220), 2: (160, 40, 40)}
ENCODING = MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2, 9: 255})


def layout(sky: int = 12, car: bool = True) -> np.ndarray:
    """Sky above road, 48 x 36, with a car of 10 x 8 at the left."""
    mask = np.zeros((36, 48), np.uint8)
    mask[:sky] = 1
    if car:
        mask[20:28, 5:15] = 2
    return mask


def make(
    folder: Path,
    masks: list[np.ndarray],
    colours: dict = COLOURS,
    seed: int = 0,
    labelled: bool = True,
    **extra: object,
) -> SampleTable:
    folder.mkdir()
    samples = []
    for k, mask in enumerate(masks):
        rng = np.random.default_rng((seed, k))
        image = np.array([colours.get(i, (0, 0, 0)) for i in range(256)])[mask] + rng.normal(0, 4, (*mask.shape, 3))
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / f"{k}.png")
        Image.fromarray(mask).save(folder / f"{k}_mask.png")
        path = folder / f"{k}_mask.png" if labelled else None
        height, width = mask.shape
        samples.append(Sample(f"i{k}", folder / f"{k}.png", path, width, height, "train", "", None, None))
    info = TableInfo(
        dataset=folder.name,
        classes=tuple(SegmentationClass(name=n, color=(0, 0, 0)) for n in NAMES),
        detection=("x",),
        encoding=ENCODING if labelled else None,
        boxes_from=None,
        **extra,
    )
    return SampleTable.from_samples(samples, info, folder)


def test_identical_sets_have_no_gap(tmp_path: Path) -> None:
    table = make(tmp_path / "a", [layout(s) for s in (8, 10, 12, 14)])
    gap = measure_gap(table, table, table, seed=0)
    assert (gap.colour_before, gap.colour_after) == (pytest.approx(0, abs=1e-6),) * 2
    assert (gap.spectrum_before, gap.frequency, gap.prior) == (0, 0, 0)
    assert [c.name for c in gap.classes] == list(NAMES)
    assert all((c.colour_before, c.colour_after, c.prior) == (0, 0, 0) for c in gap.classes)


def test_the_colour_of_one_class_is_that_class_gap_alone(tmp_path: Path) -> None:
    masks = [layout(s) for s in (8, 10, 12, 14)]
    source, real = make(tmp_path / "s", masks), make(tmp_path / "r", masks, seed=1)
    translated = make(tmp_path / "t", masks, COLOURS | {2: (40, 40, 160)})
    gap = measure_gap(source, real, translated, seed=0)
    road, sky, car = gap.classes
    assert car.colour_before is not None
    assert car.colour_after is not None
    pair = np.array([[COLOURS[2], (40, 40, 160)]], np.uint8)
    assert car.colour_after == pytest.approx(np.linalg.norm(np.subtract(*cielab(pair)[0])), rel=0.1)
    assert car.colour_before < 1
    assert road.colour_after == road.colour_before
    assert sky.colour_after == sky.colour_before
    assert gap.colour_after > gap.colour_before


def test_frequencies_by_hand(tmp_path: Path) -> None:
    half, whole = np.zeros((36, 48), np.uint8), np.zeros((36, 48), np.uint8)
    half[:18] = 1
    half[:, :24] = 9  # ignored: not counted
    source, real = make(tmp_path / "s", [half, half]), make(tmp_path / "r", [whole, whole])
    gap = measure_gap(source, real, source, seed=0)
    road, sky, car = gap.classes
    assert (road.frequency_source, sky.frequency_source, car.frequency_source) == (0.5, 0.5, 0)
    assert (road.frequency_real, sky.frequency_real, car.frequency_real) == (1, 0, 0)
    assert gap.frequency == pytest.approx(0.5 * (0.5 * np.log2(0.5 / 0.75) + 0.5 + np.log2(1 / 0.75)))
    assert sky.prior is None
    assert car.prior is None
    # the road covers the lower right quarter in one set, all in the other: 1 of 4 cells in common
    assert road.prior == pytest.approx(0.5 * (np.log2(1 / 0.625) + 0.25 * np.log2(0.25 / 0.625) + 0.75))
    assert gap.prior == road.prior


def test_a_class_that_one_set_cannot_have_does_not_count(tmp_path: Path) -> None:
    masks = [layout(12, car=False)] * 2
    source = make(tmp_path / "s", [layout(12)] * 2)
    free, bound = make(tmp_path / "r", masks), make(tmp_path / "q", masks, impossible=("car",))
    with_car, without = (measure_gap(source, real, source, seed=0).frequency for real in (free, bound))
    assert with_car is not None
    assert without is not None
    assert 0 < without < with_car


def test_classes_that_show_too_little_have_no_colour(tmp_path: Path) -> None:
    masks = [layout(12), layout(12), layout(12, car=False), layout(12, car=False)]
    small = [m.copy() for m in masks]
    for m in small[2:]:
        m[30:37, 30:37] = 2  # 6 x 7 = 42 pixels: too few in an image
    full = [layout(12)] * 4
    real = make(tmp_path / "r", full)
    found = measure_gap(make(tmp_path / "s", small), real, make(tmp_path / "t", full), seed=0).classes[2]
    assert found.colour_before is None
    assert found.colour_after is not None


def test_class_statistics_equal_those_of_the_class_alone() -> None:
    rng = np.random.default_rng(0)
    lab = rng.normal(40, 20, (30, 40, 3)).astype(np.float32)
    mask = rng.integers(0, 3, (30, 40)).astype(np.uint8)
    mask[0] = 255
    pixels, found = class_colours(lab, mask, 4)
    assert pixels.tolist() == [*((mask == k).sum() for k in range(3)), 0]
    for k in range(3):
        inside = lab[mask == k]
        assert found[k] == pytest.approx(np.concatenate([inside.mean(axis=0), inside.std(axis=0)]), rel=1e-4)
    assert np.isnan(found[3]).all()


def test_sets_without_masks_have_the_rest(tmp_path: Path) -> None:
    masks = [layout(s) for s in (8, 10, 12)]
    source, real = make(tmp_path / "s", masks), make(tmp_path / "r", masks, seed=1, labelled=False)
    gap = measure_gap(source, real, source, seed=0)
    assert (gap.classes, gap.frequency, gap.prior) == ((), None, None)
    assert gap.spectrum_before > 0
    plain = make(tmp_path / "t", masks, labelled=False)
    classes = measure_gap(source, source, plain, seed=0).classes
    assert {c.colour_after for c in classes} == {None}
    assert {c.colour_before for c in classes} == {0}


def test_a_spectrum_has_its_peak_at_the_wave_and_does_not_depend_on_the_sampling() -> None:
    def wave(height: int, width: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width] / height
        return 128 + 60 * np.sin(2 * np.pi * (6 * x + 8 * y))  # 10 cycles an image height

    small, large = (radial_spectrum(wave(*size), 30, 1e-9) for size in ((64, 96), (256, 384)))
    assert small.argmax() == large.argmax() == 10 - 1
    assert small[9] == pytest.approx(large[9], abs=0.1)
    doubled = radial_spectrum(2 * wave(64, 96), 30, 1e-9)
    assert doubled[9] - small[9] == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_white_noise_is_flat_at_its_variance() -> None:
    noise = np.random.default_rng(0).normal(128, 5, (256, 256))
    found = radial_spectrum(noise, 100, 0)
    assert found[20:] == pytest.approx(np.full(80, 10 * np.log10(25 / 256**2)), abs=1.5)


def test_blur_widens_the_spectral_gap(tmp_path: Path) -> None:
    masks = [layout(s) for s in (8, 10, 12)]
    source, real = make(tmp_path / "s", masks), make(tmp_path / "r", masks, seed=1)
    blurred = make(tmp_path / "t", masks)
    for sample in blurred:
        image = np.asarray(Image.open(sample.image))
        Image.fromarray(cv2.GaussianBlur(image, (0, 0), 1.5)).save(sample.image)
    gap = measure_gap(source, real, blurred, seed=0)
    assert gap.spectrum_after > 3 * gap.spectrum_before


def test_images_are_drawn_in_pairs(tmp_path: Path) -> None:
    source = make(tmp_path / "s", [layout(12)] * 6)
    rows = list(make(tmp_path / "t", [layout(12)] * 6))
    variants = [Sample(f"{s.id}__v{v}", *_rest(s), extra={"of": s.id, "variant": v}) for s in rows[:5] for v in (0, 1)]
    translated = SampleTable.from_samples(variants, source.info, source.folder)
    a, b = paired(source, translated, None, seed=0)
    assert [s.id for s in a] == [s.extra["of"] for s in b]
    assert sorted(s.id for s in a) == [f"i{k}" for k in range(5)]  # one variant of each
    assert {s.extra["variant"] for s in b} == {0, 1}
    a, b = paired(source, translated, 3, seed=0)
    assert [s.id for s in a] == [s.extra["of"] for s in b]
    assert len(a) == 3


def _rest(s: Sample) -> tuple:
    return s.image, s.mask, s.width, s.height, s.split, s.sha256, None, None


def test_what_cannot_be_measured(tmp_path: Path) -> None:
    table, other = make(tmp_path / "a", [layout(12)] * 3), make(tmp_path / "b", [layout(12)] * 4)
    with pytest.raises(ValueError, match="1 translated images have no source in a, such as i3"):
        measure_gap(table, table, other, seed=0)
    with pytest.raises(ValueError, match="the real set has 1"):
        measure_gap(table, table.take([0]), table, seed=0)
    info = other.info.model_copy(update={"classes": other.info.classes[:2]})
    with pytest.raises(ValueError, match="a and b have different classes"):
        measure_gap(table, SampleTable(other.rows, info, other.folder), table, seed=0)
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(tmp_path / "a" / "1_mask.png")
    with pytest.raises(ImageError, match=r"1_mask\.png.*another size"):
        measure_gap(table, other, table, seed=0)


def test_jensen_shannon_is_between_0_and_1() -> None:
    assert jensen_shannon(np.array([2, 6]), np.array([1, 3])) == pytest.approx(0)
    assert jensen_shannon(np.array([1, 0]), np.array([0, 5])) == pytest.approx(1)
    assert jensen_shannon(np.array([1, 0]), np.array([1, 1])) == pytest.approx(
        0.5 * (np.log2(1 / 0.75) + 0.5 + 0.5 * np.log2(0.5 / 0.75))
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.random((2, 5))
        assert 0 <= jensen_shannon(a, b) <= 1
        assert jensen_shannon(a, b) == pytest.approx(jensen_shannon(b, a))
        assert jensen_shannon(a, b) == pytest.approx(jensenshannon(a, b, base=2) ** 2)
        assert 0 <= jensen_shannon(a, a * 7) < 1e-12  # a rounding below 0 has no root
    for bad in (np.zeros(2), np.array([-1, 2]), np.array([np.nan, 1]), np.ones(3)):
        with pytest.raises(ValueError, match="distribution"):
            jensen_shannon(np.ones(2), bad)


def test_patches_tell_orientation_and_colour_apart() -> None:
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    upright, lying, flat = patch_features(np.stack([stripes, stripes.transpose(1, 0, 2), np.full_like(stripes, 128)]))
    assert upright[:6] == pytest.approx(lying[:6])
    assert upright[6:].argmax() == 0  # the gradient of upright stripes lies along x
    assert lying[6:].argmax() == 4
    assert flat[3:] == pytest.approx(np.zeros(11), abs=1e-3)

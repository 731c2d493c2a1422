"""Distances to the real set: names, equal numbers, floors, and crops that show the same things."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.audit.realism import FeatureSets, distances, match_layouts, semantic_kernel_distance
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.set_distances import frechet_distance, kernel_distance
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_only_inception_features_are_called_fid_and_kid(rng: np.random.Generator) -> None:
    sets = FeatureSets(*rng.normal(size=(3, 8, 4)))
    found = distances({"seg": sets, "efflite0": sets, "inception": sets}, seed=0)
    assert [d.name for d in found] == ["FD_seg", "KD_seg", "FD_efflite0", "KD_efflite0", "FID", "KID"]
    assert len({d.before for d in found}) == 2


def test_a_set_like_the_real_one_is_at_the_floor_and_another_far_above(rng: np.random.Generator) -> None:
    real, source = rng.normal(size=(400, 4)), rng.normal(3, 1, size=(200, 4))
    for d in distances({"seg": FeatureSets(source, real, source - 3)}, seed=0):
        assert d.floor is not None
        assert d.after < d.floor + 0.1 * d.before
        assert abs(d.floor) < 0.02 * d.before
        assert d.images == (200, 200)


def test_identical_sets(rng: np.random.Generator) -> None:
    real = rng.normal(size=(60, 4))
    frechet, kernel = distances({"seg": FeatureSets(real, real, real)}, seed=0)
    assert frechet.before == frechet.after == pytest.approx(0, abs=1e-9)
    assert frechet.floor is not None
    assert frechet.floor > 0
    assert kernel.before <= 0  # the diagonal, which is largest, counts across and not within


def test_both_sides_have_equally_many_and_the_same_images_are_drawn(rng: np.random.Generator) -> None:
    source = np.repeat(np.arange(50.0)[:, None], 2, axis=1)
    real = rng.normal(size=(20, 2))
    frechet, kernel = distances({"seg": FeatureSets(source, real, source + 0)}, seed=5)
    assert frechet.images == kernel.images == (20, 20)
    assert frechet.before == frechet.after
    chosen = np.random.default_rng(5).permutation(50)[:20]
    assert frechet.before == pytest.approx(frechet_distance(source[chosen], real))
    assert kernel.before == pytest.approx(kernel_distance(source[chosen], real))
    assert distances({"seg": FeatureSets(source, real, source)}, seed=6)[0].before != frechet.before
    few = distances({"seg": FeatureSets(source[:5], real, source[:5])}, seed=5)[0]
    assert few.images == (5, 5)


def test_too_few_images_for_a_floor_or_for_anything(rng: np.random.Generator) -> None:
    three = rng.normal(size=(3, 2))
    assert distances({"seg": FeatureSets(three, three, three)}, seed=0)[0].floor is None
    with pytest.raises(ValueError, match="two sets of at least two rows"):
        distances({"seg": FeatureSets(three[:1], three, three[:1])}, seed=0)
    with pytest.raises(ValueError, match="seg: 3 rows of the source, but 2"):
        distances({"seg": FeatureSets(three, three, three[:2])}, seed=0)


def test_layouts_are_matched_one_to_one_the_best_first() -> None:
    a = np.array([[0, 0, 1, 1], [0, 0, 0, 0], [255, 255, 255, 255], [2, 2, 2, 2]], np.uint8)
    b = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [255, 255, 255, 255], [0, 3, 3, 3]], np.uint8)
    rows, columns = match_layouts(a, b, 0.5)
    # row 0 equals column 1; row 1 shares 3 cells with column 0, its next best; unlabelled cells match nothing
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]
    assert match_layouts(a, b, 0.8)[0].tolist() == [0]
    assert match_layouts(a[3:], b, 0.5)[0].size == 0
    twins = np.zeros((3, 4), np.uint8)
    assert sorted(match_layouts(twins, twins, 0.5)[1].tolist()) == [0, 1, 2]


COLOURS = np.array([(90, 90, 90), (120, 170, 220), (40, 120, 40)])


def make(
    folder: Path, share: tuple[float, ...], colours: np.ndarray = COLOURS, count: int = 16, labelled: bool = True
) -> SampleTable:
    """Images of upright bands of classes; ``share`` is how likely a band is of each class."""
    folder.mkdir()
    samples = []
    for k in range(count):
        rng = np.random.default_rng((len(folder.name), k))
        mask = np.repeat(rng.choice(3, 4, p=share), 16)[None].repeat(64, axis=0).astype(np.uint8)
        image = colours[mask] + np.random.default_rng(k).normal(0, 5, (*mask.shape, 3))
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / f"{k}.png")
        Image.fromarray(mask).save(folder / f"{k}_mask.png")
        path = folder / f"{k}_mask.png" if labelled else None
        samples.append(Sample(f"i{k}", folder / f"{k}.png", path, 64, 64, "train", "", None, None))
    info = TableInfo(
        dataset=folder.name,
        classes=tuple(SegmentationClass(name=n, color=(0, 0, 0)) for n in ("road", "sky", "tree")),
        detection=("x",),
        encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2}) if labelled else None,
        boxes_from=None,
    )
    return SampleTable.from_samples(samples, info, folder)


def test_semantic_distance_is_of_looks_and_not_of_content(tmp_path: Path) -> None:
    # The source shows mostly road, the real set mostly sky; the classes look the same in both.
    source, real = (make(tmp_path / n, p, count=60) for n, p in (("s", (0.6, 0.2, 0.2)), ("real", (0.2, 0.6, 0.2))))
    swapped = make(tmp_path / "t", (0.6, 0.2, 0.2), COLOURS[[0, 2, 1]], count=60)
    found = semantic_kernel_distance(source, real, swapped, threshold=0.8)
    unmatched = semantic_kernel_distance(source, real, swapped, threshold=0)
    assert found is not None
    assert unmatched is not None
    assert found.floor is not None
    assert found.name == "sKD_colour"
    assert found.after > 4 * max(abs(found.before), abs(found.floor))
    assert unmatched.before > 4 * abs(found.before)  # the content, which matching takes out
    assert max(found.images) < 60 == min(unmatched.images)
    assert found == semantic_kernel_distance(source, real, swapped, threshold=0.8)
    same = semantic_kernel_distance(source, real, source, threshold=0.8)
    assert same is not None
    assert same.before == same.after == found.before


def test_semantic_distance_on_a_network(tmp_path: Path) -> None:
    source, real = (make(tmp_path / n, (0.4, 0.3, 0.3), count=6) for n in ("s", "real"))
    found = semantic_kernel_distance(source, real, source, "efflite0")
    assert found is not None
    assert found.name == "sKD_efflite0"
    assert found.before == pytest.approx(found.after)


def test_semantic_distance_is_left_out_with_a_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, real = make(tmp_path / "s", (1, 0, 0), count=4), make(tmp_path / "real", (0, 1, 0), count=4)
    with caplog.at_level(logging.WARNING):
        assert semantic_kernel_distance(source, real, source) is None
    assert "sKD_colour left out: 0 of 16 crops" in caplog.text
    caplog.clear()
    plain = make(tmp_path / "plain", (1, 0, 0), count=4, labelled=False)
    with caplog.at_level(logging.WARNING):
        assert semantic_kernel_distance(source, plain, source) is None
    assert "must have masks" in caplog.text

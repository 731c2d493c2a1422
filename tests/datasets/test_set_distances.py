"""Distances between sets of feature vectors, against their definitions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.colour import colour_features
from tasks.datasets.set_distances import frechet_distance, kernel_distance
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_frechet_in_one_dimension_is_that_of_mean_and_deviation() -> None:
    a, b = np.array([[0.0], [2.0]]), np.array([[5.0], [9.0]])  # means 1 and 7, deviations sqrt(2) and sqrt(8)
    assert frechet_distance(a, b) == pytest.approx(36 + (np.sqrt(8) - np.sqrt(2)) ** 2)


def test_frechet_equals_the_formula_with_the_matrix_root(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)), rng.normal(1, 2, size=(50, 4))
    ca, cb = np.cov(a.T), np.cov(b.T)
    values = np.linalg.eigvals(ca @ cb)  # of a product of positive matrices: real, not negative
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb) - 2 * np.sqrt(values.real).sum()
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)


def test_frechet_of_fewer_images_than_features(rng: np.random.Generator) -> None:
    a = rng.normal(size=(6, 40))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 3) == pytest.approx(9 * 40)


def test_kernel_equals_its_sums(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(5, 3)), rng.normal(1, 1, size=(4, 3))

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def within(x: np.ndarray) -> float:
        return float(np.mean([k(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]))

    expected = within(a) + within(b) - 2 * np.mean([k(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(expected)


def test_kernel_is_unbiased(rng: np.random.Generator) -> None:
    found = [kernel_distance(*rng.normal(size=(2, 20, 3))) for _ in range(400)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0 < max(found)


def test_sets_that_cannot_be_compared() -> None:
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(ValueError, match=r"\(1, 3\) and \(4, 3\)"):
            distance(np.zeros((1, 3)), np.zeros((4, 3)))
        with pytest.raises(ValueError, match="of one width"):
            distance(np.zeros((4, 3)), np.zeros((4, 2)))


def test_colours(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:2] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    info = TableInfo(
        dataset="d",
        classes=(SegmentationClass(name="x", color=(0, 0, 0)),),
        detection=("x",),
        encoding=None,
        boxes_from=None,
    )
    sample = Sample("a", tmp_path / "a.png", None, 6, 4, "train", "", None, None)
    found = colour_features(SampleTable.from_samples([sample], info, tmp_path))
    assert found == pytest.approx(np.array([[50, 0, 0, 50, 0, 0]]), abs=0.01)

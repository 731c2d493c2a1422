"""Intervals and tests: against definitions, pycocotools, and how often intervals hold a known truth."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.evaluate.evidence import ClassDetections, DetectionEvidence
from tasks.evaluate.statistics import (
    average_precision,
    benjamini_hochberg,
    evidence_needed,
    image_weights,
    interval,
    iou,
    mean_over,
    p_value,
    sign_flip,
    with_seeds,
)

Floats = NDArray[np.float64]


# Weights, IoU, means


def test_weights_are_draws_of_as_many_images_and_repeat_by_seed() -> None:
    weights = image_weights(50, 400, 3)
    assert weights.shape == (400, 50)
    assert weights.dtype == np.int32
    assert (weights.sum(1) == 50).all()
    assert weights.mean(0) == pytest.approx(np.ones(50), abs=0.25)
    assert weights.var() == pytest.approx(1 - 1 / 50, abs=0.05)  # multinomial
    assert (image_weights(50, 400, 3) == weights).all()
    assert (image_weights(50, 500, 3)[:400] == weights).all()
    assert (image_weights(50, 400, 4) != weights).any()


def test_weights_of_no_images() -> None:
    assert image_weights(0, 5, 0).shape == (5, 0)
    assert np.isnan(iou(np.zeros((0, 2, 3), np.int64), image_weights(0, 5, 0))).all()


def test_iou_of_a_hand_made_case_and_of_resamples() -> None:
    counts = np.array([[[2, 4, 3], [0, 0, 5]], [[1, 1, 1], [0, 2, 0]]])  # images x classes x (TP, truth, predicted)
    assert iou(counts) == pytest.approx([3 / 6, 0 / 7])
    resampled = iou(counts, np.array([[1, 1], [2, 0], [0, 2]], np.int32))
    # The second class is not in the first image's truth: predicted pixels alone give it no IoU.
    assert resampled == pytest.approx(np.array([[3 / 6, 0], [2 / 5, np.nan], [1, 0]]), nan_ok=True)


def test_iou_in_blocks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, weights = segmentation(np.random.default_rng(0), 30, POPULATION), image_weights(30, 50, 0)
    whole = iou(counts, weights)
    monkeypatch.setattr("tasks.evaluate.statistics.CELLS", 100)
    assert iou(counts, weights) == pytest.approx(whole)


def test_mean_over_counted_entries_that_are_known() -> None:
    values = np.array([[1.0, np.nan, 3.0, 9.0], [np.nan, np.nan, np.nan, 9.0]])
    counted = np.array([True, True, True, False])
    assert mean_over(values, counted) == pytest.approx([2, np.nan], nan_ok=True)
    assert float(mean_over(values[0], counted)) == 2
    assert np.isnan(mean_over(values, np.zeros(4, bool))).all()


def test_many_resamples_are_fast() -> None:
    counts = np.random.default_rng(0).integers(0, 1000, (500, 19, 3))
    start = time.process_time()
    mean_over(iou(counts, image_weights(500, 10_000, 0)), np.ones(19, bool))
    assert time.process_time() - start < 2


# Average precision


def detections(image: list[int], score: list[float], matched: list[bool], ignored: list[bool]) -> ClassDetections:
    order = np.argsort(-np.array(score), kind="stable")
    arrays = np.array(image, np.int32), np.array(score), np.array([matched], bool), np.array([ignored], bool)
    return ClassDetections(arrays[0][order], arrays[1][order], arrays[2][:, order], arrays[3][:, order])


def one_class(found: ClassDetections, boxes: list[int]) -> DetectionEvidence:
    ids = tuple(str(i) for i in range(len(boxes)))
    return DetectionEvidence(ids, ("car",), (), (found,), np.array(boxes)[:, None])


def test_average_precision_of_a_hand_made_case() -> None:
    # A false alarm in image 0 above image 1's hit; one of two boxes found: precision 1/2 at 51 of 101 recalls.
    evidence = one_class(detections([0, 1], [0.9, 0.8], [False, True], [False, False]), [1, 1])
    assert average_precision(evidence) == pytest.approx(np.array([[0.5 * 51 / 101]]))
    weights = np.array([[1, 1], [0, 2], [2, 0], [1, 3]], np.int32)
    # Image 1 alone: all found. Image 0 alone: nothing. 1 and 3 copies: precision 3/4 up to recall 3/4, 76 recalls.
    assert average_precision(evidence, weights)[:, 0, 0] == pytest.approx([0.5 * 51 / 101, 1, 0, 0.75 * 76 / 101])


def test_ignored_detections_are_neither_true_nor_false() -> None:
    found = detections([0, 0, 1], [0.9, 0.8, 0.7], [True, False, True], [True, False, False])
    evidence = one_class(found, [0, 1])
    assert average_precision(evidence)[0, 0] == pytest.approx(0.5)  # the first is of a crowd, the second is wrong
    assert average_precision(evidence, np.array([[3, 0], [1, 2]], np.int32))[:, 0, 0] == pytest.approx(
        [np.nan, 2 / 3], nan_ok=True
    )


def test_class_without_detections_and_class_without_boxes() -> None:
    nothing = detections([], [], [], [])
    assert average_precision(one_class(nothing, [1, 0]))[0, 0] == 0
    weights = np.array([[0, 2], [1, 1]], np.int32)
    assert average_precision(one_class(nothing, [1, 0]), weights)[:, 0, 0] == pytest.approx([np.nan, 0], nan_ok=True)
    alarms = detections([0], [0.5], [False], [False])
    assert np.isnan(average_precision(one_class(alarms, [0, 0]))).all()


# Intervals and p-values


def test_interval_is_of_percentiles_and_passes_over_nan() -> None:
    samples = np.concatenate([np.arange(1001.0), [np.nan] * 500])
    assert interval(samples) == pytest.approx((25, 975))
    assert interval(samples, 0.5) == pytest.approx((250, 750))
    assert np.isnan(interval(np.full(5, np.nan))).all()


def test_p_value_counts_the_smaller_side_twice() -> None:
    assert p_value(np.array([-1.0] * 4 + [1.0] * 95 + [np.nan])) == pytest.approx(2 * 5 / 100)
    assert p_value(-np.array([-1.0] * 4 + [1.0] * 95)) == pytest.approx(2 * 5 / 100)
    assert p_value(np.ones(999)) == pytest.approx(2 / 1000)
    assert p_value(np.zeros(99)) == 1  # the same model twice
    assert np.isnan(p_value(np.full(5, np.nan)))


# Coverage: intervals of 95 % must hold the known truth in 92 to 98 of 100 cases

POPULATION = np.array([[0.9, 0.1], [0.7, 0.3], [0.5, 0.5], [0.8, 0.2]])  # hits and false alarms a true pixel
BETTER = POPULATION + np.array([[0.02, -0.02], [0.05, 0], [0.1, -0.1], [0, 0.05]])


def held(intervals: list[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def segmentation(rng: np.random.Generator, images: int, *models: Floats) -> NDArray[np.int64]:
    """Counts ``[N, C, 3]`` of each model; hits and false alarms of an image go together over models."""
    truth = rng.gamma(0.7, 1e5, (images, len(POPULATION)))
    hard = rng.random((images, 1))
    made = []
    for model in models:
        hits = truth * (1 - (1 - model[:, 0]) * 2 * (0.7 * hard + 0.3 * rng.random(truth.shape)))
        alarms = truth * model[:, 1] * rng.gamma(2, 0.5, truth.shape)
        made.append(np.stack([hits, truth, hits + alarms], axis=-1).astype(np.int64))
    return made[0] if len(made) == 1 else np.stack(made)


def population_miou(model: Floats) -> float:
    return float((model[:, 0] / (1 + model[:, 1])).mean())  # expectations of hits, and of truth + false alarms


def test_coverage_of_miou_and_of_its_paired_difference() -> None:
    rng, counted = np.random.default_rng(1), np.ones(4, bool)
    single, paired = [], []
    for repetition in range(600):
        weights = image_weights(200, 500, repetition)
        first, second = (mean_over(iou(c, weights), counted) for c in segmentation(rng, 200, POPULATION, BETTER))
        single.append(interval(first))
        paired.append(interval(second - first))
    assert 0.92 <= held(single, population_miou(POPULATION)) <= 0.98
    assert 0.92 <= held(paired, population_miou(BETTER) - population_miou(POPULATION)) <= 0.98
    wide, narrow = (np.mean([high - low for low, high in of]) for of in (single, paired))
    assert narrow < wide


def naive(resampled: Floats, values: Floats, rng: np.random.Generator) -> Floats:
    """Seeds drawn with replacement like images."""
    return np.take_along_axis(resampled, rng.integers(0, len(values), resampled.shape), axis=0).mean(0)


def seeds_coverage(method, seeds: int, sds: tuple[float, float, float], repetitions: int = 600) -> float:
    """How often intervals hold 0, the true mean; standard deviations of the mean over images, of a seed, of both."""
    rng, images = np.random.default_rng(0), 100
    weights = [image_weights(images, 1000, s) / images for s in range(10)]
    by_image, by_seed, by_both = np.array(sds) * [images**0.5, 1, images**0.5]
    intervals = []
    for repetition in range(repetitions):
        scores = rng.normal(0, by_image, images) + rng.normal(0, by_seed, (seeds, 1))
        scores = scores + rng.normal(0, by_both, (seeds, images))
        resampled = scores @ weights[repetition % 10].T
        intervals.append(interval(method(resampled, scores.mean(1), rng)))
    return held(intervals, 0)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("sds", [(0.3, 1, 0), (1, 1, 0), (1, 0.3, 0), (1, 1, 1), (0.3, 0.3, 1)])
def test_coverage_over_seeds_and_images(seeds: int, sds: tuple[float, float, float]) -> None:
    assert 0.92 <= seeds_coverage(with_seeds, seeds, sds) <= 0.98


def test_coverage_of_seeds_drawn_like_images_is_too_low() -> None:
    assert seeds_coverage(naive, 3, (0.3, 1, 0)) < 0.88
    assert seeds_coverage(naive, 5, (0.0, 1, 0)) < 0.88


def synthetic_detections(rng: np.random.Generator, images: int) -> DetectionEvidence:
    """1 to 5 boxes an image, 80.5 % found (between two of COCO's recalls), and about 2 false alarms of lower scores."""
    boxes, hard = rng.integers(1, 6, images), rng.uniform(-0.15, 0.15, images)
    owner = np.repeat(np.arange(images), boxes)
    owner = owner[rng.random(owner.size) < 0.805 - hard[owner]]
    alarms = np.repeat(np.arange(images), rng.poisson(2, images))
    score = np.concatenate([rng.beta(4, 2, owner.size), rng.beta(2, 4, alarms.size)])
    order = np.argsort(-score)
    matched = (np.arange(score.size) < owner.size)[None, order]
    image = np.concatenate([owner, alarms]).astype(np.int32)[order]
    return one_class(ClassDetections(image, score[order], matched, np.zeros_like(matched)), boxes.tolist())


def test_coverage_of_average_precision() -> None:
    rng = np.random.default_rng(0)
    truth = float(average_precision(synthetic_detections(rng, 300_000))[0, 0])
    intervals = [
        interval(average_precision(synthetic_detections(rng, 150), image_weights(150, 400, repetition))[:, 0, 0])
        for repetition in range(400)
    ]
    assert 0.92 <= held(intervals, truth) <= 0.98


def test_with_seeds_of_one_seed_is_the_chance_of_images_alone() -> None:
    resampled = np.random.default_rng(0).normal(0, 1, (1, 100))
    assert (with_seeds(resampled, np.array([0.1]), np.random.default_rng(0)) == resampled[0]).all()


def test_with_seeds_keeps_undefined_resamples_undefined() -> None:
    resampled = np.random.default_rng(0).normal(0, 1, (3, 100))
    resampled[:, 7] = np.nan
    result = with_seeds(resampled, resampled[:, 0], np.random.default_rng(0))
    assert np.flatnonzero(np.isnan(result)).tolist() == [7]
    nothing = with_seeds(np.full((3, 10), np.nan), np.full(3, np.nan), np.random.default_rng(0))
    assert np.isnan(nothing).all()


def test_with_seeds_of_equal_models_has_no_spread() -> None:
    rng = np.random.default_rng(0)
    assert (with_seeds(np.zeros((3, 10)), np.zeros(3), rng) == 0).all()


# Tests over seeds, many classes, and how much evidence is needed


def test_sign_flip_of_small_cases() -> None:
    assert sign_flip([1, 1, 1, 1, 1]) is None
    assert sign_flip([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 64)
    assert sign_flip([1, 2, 3, 4, 5, -1]) == pytest.approx(6 / 64)  # 14 or more of 16: nothing or a 1 flipped
    assert sign_flip([0, 0, 0, 0, 0, 0]) == 1
    assert sign_flip([0.1] * 7) == pytest.approx(2 / 128)  # whatever the rounding of sums


def test_sign_flip_of_many_is_sampled_and_repeats() -> None:
    assert sign_flip([0.1] * 20) == pytest.approx(0, abs=1e-4)
    assert (sign_flip([0.1] * 20) or 0) > 0
    mixed = np.random.default_rng(0).normal(0.2, 1, 18)
    assert sign_flip(mixed) == sign_flip(mixed)
    assert sign_flip(mixed[:16]) == pytest.approx(_sampled(mixed[:16]), abs=0.01)


def _sampled(values: Floats) -> float:
    signs = np.random.default_rng(5).choice([-1, 1], (50_000, values.size))
    return float(np.mean(np.abs(signs @ values) >= abs(values.sum())))


def test_benjamini_hochberg_of_a_hand_made_case() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.5 times 4 / rank: 0.04, 0.04, 0.04, 0.5.
    found = benjamini_hochberg([0.5, None, 0.03, 0.01, 0.02, float("nan")])
    assert found == pytest.approx([0.5, None, 0.04, 0.04, 0.04, None])
    assert benjamini_hochberg([0.001, 0.9, 0.95]) == pytest.approx([0.003, 0.95, 0.95])
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([None]) == [None]


def test_evidence_needed() -> None:
    unit = (0.01 / 1.96) ** 2  # the variance that a half width of 0.01 allows
    assert evidence_needed(4 * unit, 0, 500, 3, 0.01) == (2000, None)
    assert evidence_needed(0.5 * unit, unit, 500, 3, 0.01) == (None, 6)
    assert evidence_needed(unit, 0.75 * unit, 500, 3, 0.01) == (2000, None)
    assert evidence_needed(2 * unit, 2 * unit, 500, 3, 0.01) == (None, None)
    assert evidence_needed(unit, 0, 500, 1, 0) == (None, None)
    assert evidence_needed(float("nan"), float("nan"), 500, 3, 0.01) == (None, None)

"""The influence of an image on a metric is its derivative by the image's weight, and predicts the bootstrap."""

import numpy as np
import pytest

from tasks.evaluate.evidence import ClassDetections, DetectionEvidence, SegmentationEvidence
from tasks.evaluate.influence import influence
from tasks.evaluate.statistics import average_precision, image_weights, iou, mean_over


def segmentation(images: int, left_out: tuple[str, ...] = ()) -> SegmentationEvidence:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 900, (images, 3))
    truth[:, 2] = 0  # the benchmark shows none of the last
    hits = (truth * rng.uniform(0.2, 0.9, truth.shape)).astype(np.int64)
    counts = np.stack([hits, truth, hits + rng.integers(0, 200, truth.shape)], axis=-1)
    return SegmentationEvidence(tuple(f"{i}" for i in range(images)), ("road", "car", "bus"), counts, left_out)


@pytest.mark.parametrize("left_out", [(), ("car",)])
def test_of_miou_it_is_the_derivative(left_out: tuple[str, ...]) -> None:
    evidence = segmentation(9, left_out)
    counted = np.array([n not in left_out for n in evidence.names])
    step = 1e-6
    weights = np.eye(9) * step + 1

    def miou(w: np.ndarray) -> float:
        summed = (evidence.counts * w[:, None, None]).sum(0)
        return float(mean_over((summed[:, 0] / (summed[:, 1] + summed[:, 2] - summed[:, 0]))[:2], counted[:2]))

    slopes = [(miou(w) - miou(np.ones(9))) / step * 9 for w in weights]
    assert influence(evidence) == pytest.approx(slopes, rel=1e-4)
    assert influence(evidence).mean() == pytest.approx(0, abs=1e-12)


def detection(images: int, found: int) -> DetectionEvidence:
    rng = np.random.default_rng(4)
    score = np.sort(rng.random(found))[::-1]
    image = rng.integers(0, images, found).astype(np.int32)
    hits = rng.random((2, found)) < np.array([[0.8], [0.5]]) * score
    of = ClassDetections(image, score, hits, rng.random((2, found)) < 0.05)
    boxes = np.bincount(image, hits[0], images).astype(np.int64) + rng.integers(0, 3, images)
    nothing = ClassDetections(image[:0], score[:0], hits[:, :0], hits[:, :0])
    all_boxes = np.stack([boxes, np.ones_like(boxes), np.zeros_like(boxes)], axis=1)
    return DetectionEvidence(
        tuple(map(str, range(images))), ("car", "bus", "bike"), (), (of, nothing, nothing), all_boxes
    )


def test_of_map_it_predicts_the_resampled_scores_and_their_variance() -> None:
    evidence = detection(120, 900)
    weights = image_weights(120, 1500, 0)
    scores = mean_over(average_precision(evidence, weights).mean(1), np.ones(3, bool))
    predicted = weights @ influence(evidence) / 120
    assert influence(evidence).mean() == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(scores, predicted)[0, 1] > 0.97
    assert predicted.std() == pytest.approx(scores.std(), rel=0.1)


def test_of_miou_its_variance_is_that_of_the_bootstrap() -> None:
    evidence = segmentation(200)
    weights = image_weights(200, 2000, 1)
    resampled = mean_over(iou(evidence.counts, weights), np.ones(3, bool))
    assert influence(evidence).std() / np.sqrt(200) == pytest.approx(resampled.std(), rel=0.08)


def test_nothing_to_score_has_no_influence() -> None:
    nothing = segmentation(5)
    empty = SegmentationEvidence(nothing.ids, nothing.names, np.zeros_like(nothing.counts), ())
    assert (influence(empty) == 0).all()

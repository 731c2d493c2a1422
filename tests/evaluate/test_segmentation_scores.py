"""Segmentation scores against their definition, by hand."""

import numpy as np
import pytest

from tasks.evaluate.segmentation import confusion_matrix, segmentation_scores


def test_confusion_by_hand() -> None:
    truth = np.array([[0, 0, 1], [1, 255, 2]], np.uint8)
    predicted = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    assert confusion_matrix(truth, predicted, 3).tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        confusion_matrix(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), 2)


def test_scores_by_hand() -> None:
    scores = segmentation_scores(np.array([[1, 1, 0], [0, 2, 0], [1, 0, 0]]), ("a", "b", "c"))
    assert [c["IoU"] for c in scores["classes"]] == pytest.approx([1 / 3, 2 / 3, 0])
    assert [c["accuracy"] for c in scores["classes"]] == pytest.approx([1 / 2, 1, 0])
    assert scores["metrics"] == pytest.approx({"mIoU": 1 / 3, "pixel_accuracy": 3 / 5, "mean_accuracy": 1 / 2})


def test_absent_class_is_absent_and_not_zero() -> None:
    # Class c has no pixel in the truth, though it is predicted once: that pixel counts against class a alone.
    scores = segmentation_scores(np.array([[3, 0, 1], [0, 4, 0], [0, 0, 0]]), ("a", "b", "c"))
    assert scores["classes"][2] == {"name": "c", "IoU": None, "accuracy": None}
    assert scores["metrics"]["mIoU"] == pytest.approx((3 / 4 + 1) / 2)


def test_benchmark_without_any_labelled_pixel() -> None:
    scores = segmentation_scores(np.zeros((2, 2), np.int64), ("a", "b"))
    assert scores["metrics"] == {"mIoU": None, "pixel_accuracy": None, "mean_accuracy": None}


def test_classes_left_out_keep_their_score_but_do_not_count() -> None:
    scores = segmentation_scores(np.array([[1, 1, 0], [0, 2, 0], [1, 0, 0]]), ("a", "b", "c"), ("c",))
    assert [c["IoU"] for c in scores["classes"]] == pytest.approx([1 / 3, 2 / 3, 0])
    assert scores["metrics"] == pytest.approx({"mIoU": 1 / 2, "pixel_accuracy": 3 / 5, "mean_accuracy": 3 / 4})

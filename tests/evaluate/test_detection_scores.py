"""Detection scores on cases whose average precision is known."""

import pytest

from tasks.evaluate.detection import detection_scores


def truth(*boxes: tuple[int, int, list[float]], images: int = 2) -> dict:
    annotations = [
        {"id": i, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for i, (image, category, box) in enumerate(boxes, 1)
    ]
    return {
        "info": {},
        "images": [{"id": i, "file_name": str(i), "width": 100, "height": 100} for i in range(1, images + 1)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
    }


def found(image: int, category: int, box: list[float], score: float) -> dict:
    return {"image_id": image, "category_id": category, "bbox": box, "score": score}


def test_perfect_predictions_and_an_absent_category() -> None:
    scores = detection_scores(truth((1, 1, [10, 10, 40, 40])), [found(1, 1, [10, 10, 40, 40], 0.9)])
    assert scores["metrics"] == pytest.approx({"mAP": 1, "AP50": 1, "AP75": 1})
    assert scores["classes"][0] == {"name": "car", "AP": pytest.approx(1), "AP50": pytest.approx(1), "boxes": 1}
    assert scores["classes"][1] == {"name": "bus", "AP": None, "AP50": None, "boxes": 0}


def test_iou_of_07_counts_at_the_lower_thresholds_only() -> None:
    # 70 of 100 columns: IoU 0.7, a hit at 0.50, 0.55, 0.60, 0.65 and 0.70, so at 5 of the 10 thresholds.
    scores = detection_scores(truth((1, 1, [0, 0, 100, 40])), [found(1, 1, [0, 0, 70, 40], 0.9)])
    assert scores["metrics"] == pytest.approx({"mAP": 0.5, "AP50": 1, "AP75": 0})


def test_one_of_two_found_below_a_false_alarm() -> None:
    # Precision is 1/2 up to recall 1/2, which is 51 of COCO's 101 recall points.
    boxes = truth((1, 1, [10, 10, 40, 40]), (2, 1, [10, 10, 40, 40]))
    predictions = [found(1, 1, [60, 60, 30, 30], 0.9), found(1, 1, [10, 10, 40, 40], 0.8)]
    assert detection_scores(boxes, predictions)["metrics"]["AP50"] == pytest.approx(0.5 * 51 / 101)


def test_no_predictions_score_zero() -> None:
    scores = detection_scores(truth((1, 1, [10, 10, 40, 40])), [])
    assert scores["metrics"] == {"mAP": 0.0, "AP50": 0.0, "AP75": 0.0}


def test_benchmark_without_boxes_has_no_score() -> None:
    scores = detection_scores(truth(), [found(1, 1, [0, 0, 10, 10], 0.5)])
    assert scores["metrics"] == {"mAP": None, "AP50": None, "AP75": None}


def test_classes_left_out_keep_their_score_but_do_not_count() -> None:
    boxes = truth((1, 1, [10, 10, 40, 40]), (2, 2, [10, 10, 40, 40]))
    scores = detection_scores(boxes, [found(1, 1, [10, 10, 40, 40], 0.9)], ("bus",))
    assert [c["AP"] for c in scores["classes"]] == pytest.approx([1, 0])
    assert scores["metrics"] == pytest.approx({"mAP": 1, "AP50": 1, "AP75": 1})

"""Evidence read from an evaluation's files, and evidence that does not go together."""

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.catalogue.language import speaking
from tasks.evaluate.detection import detection_scores
from tasks.evaluate.errors import EvidenceError
from tasks.evaluate.evidence import DetectionEvidence, SegmentationEvidence, check_comparable
from tasks.evaluate.segmentation import confusion_matrix, segmentation_scores
from tasks.evaluate.statistics import average_precision, image_weights, iou, mean_over
from tasks.store.files import write_json

NAMES = ("road", "car", "sky")


def scores(folder: Path, names: tuple[str, ...], images: int, left_out: tuple[str, ...] = ()) -> None:
    classes = [{"name": name} for name in names]
    write_json(
        folder / "scores.json", {"classes": classes, "left_out": list(left_out), "images": images, "metrics": {}}
    )


# Segmentation


def segmentation(folder: Path, confusions: dict[str, np.ndarray], left_out: tuple[str, ...] = ()) -> None:
    rows: list[tuple[str, int, int, int]] = []
    for name, matrix in confusions.items():
        rows += [(name, int(t), int(p), int(matrix[t, p])) for t, p in zip(*np.nonzero(matrix), strict=True)]
    columns = dict(zip(("id", "truth", "predicted", "pixels"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), folder / "confusion.parquet")
    scores(folder, NAMES, len(confusions), left_out)


@pytest.fixture
def confusions() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made = {}
    for name in ("b", "a", "c"):
        truth = rng.choice(np.array([0, 1, 255], np.uint8), (20, 30))
        predicted = np.where(rng.random(truth.shape) < 0.6, np.minimum(truth, 2), rng.integers(0, 3, truth.shape))
        made[name] = confusion_matrix(truth, predicted.astype(np.uint8), len(NAMES))
    return made


def test_counts_are_of_each_image(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, confusions, ("road",))
    evidence = SegmentationEvidence.read(tmp_path)
    assert (evidence.ids, evidence.names, evidence.left_out) == (("a", "b", "c"), NAMES, ("road",))
    assert evidence.counts.dtype == np.int64
    for counts, name in zip(evidence.counts, evidence.ids, strict=True):
        matrix = confusions[name]
        assert (counts == np.stack([np.diag(matrix), matrix.sum(1), matrix.sum(0)], axis=-1)).all()


def test_iou_of_evidence_is_that_of_the_scores(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, confusions)
    found = iou(SegmentationEvidence.read(tmp_path).counts)
    expected = segmentation_scores(np.sum(list(confusions.values()), axis=0), NAMES, ("road",))
    assert [None if np.isnan(v) else pytest.approx(v) for v in found] == [c["IoU"] for c in expected["classes"]]
    assert np.isnan(found[2])  # no sky in the truth
    counted = np.array([False, True, True])
    assert float(mean_over(found, counted)) == pytest.approx(expected["metrics"]["mIoU"])


def test_image_of_ignored_pixels_alone_is_left_out(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, {**confusions, "blank": np.zeros((3, 3), np.int64)})
    assert SegmentationEvidence.read(tmp_path).ids == ("a", "b", "c")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("truth", 3, "row 1: a"), ("predicted", -1, "row 1: a"), ("pixels", -4, "negative"), ("id", None, "empty")],
)
def test_broken_rows_of_the_confusion(tmp_path: Path, confusions, column: str, value: object, message: str) -> None:
    segmentation(tmp_path, confusions)
    rows = pq.read_table(tmp_path / "confusion.parquet").to_pylist()
    rows[1][column] = value
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "confusion.parquet")
    with pytest.raises(EvidenceError, match=message):
        SegmentationEvidence.read(tmp_path)


def test_files_that_are_missing_or_broken(tmp_path: Path, confusions) -> None:
    with pytest.raises(EvidenceError, match=r"scores\.json: cannot be read"):
        SegmentationEvidence.read(tmp_path)
    scores(tmp_path, NAMES, 3)
    with pytest.raises(EvidenceError, match=r"confusion\.parquet: cannot be read"):
        SegmentationEvidence.read(tmp_path)
    with pytest.raises(EvidenceError, match=r"ground_truth\.json: cannot be read"):
        DetectionEvidence.read(tmp_path)
    (tmp_path / "confusion.parquet").write_bytes(b"no table")
    with pytest.raises(EvidenceError, match=r"confusion\.parquet: cannot be read"):
        SegmentationEvidence.read(tmp_path)
    segmentation(tmp_path, confusions)
    scores(tmp_path, NAMES, 2)
    with pytest.raises(EvidenceError, match="has 3 images, but"):
        SegmentationEvidence.read(tmp_path)
    write_json(tmp_path / "scores.json", {"classes": []})
    with pytest.raises(EvidenceError, match=r"scores\.json: images: Field required: evaluate the model again"):
        SegmentationEvidence.read(tmp_path)


# Detection

BOX = [10.0, 10.0, 40.0, 40.0]


def truth(*boxes: tuple[int, int, int], images: int = 3) -> dict:
    """COCO instances of the same box, as image, category, crowd."""
    annotations = [
        {"id": i, "image_id": image, "category_id": category, "bbox": BOX, "area": 1600.0, "iscrowd": crowd}
        for i, (image, category, crowd) in enumerate(boxes, 1)
    ]
    categories = [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}]
    listed = [{"id": i, "file_name": f"image {i}"} for i in range(images, 0, -1)]
    return {"info": {}, "images": listed, "annotations": annotations, "categories": categories}


def found(image: int, category: int, score: float, width: float = 40.0) -> dict:
    return {"image_id": image, "category_id": category, "bbox": [10.0, 10.0, width, 40.0], "score": score}


def detection(folder: Path, reference: dict, predictions: list[dict]) -> DetectionEvidence:
    scores(folder, tuple(c["name"] for c in reference["categories"]), len(reference["images"]))
    write_json(folder / "ground_truth.json", reference)
    (folder / "predictions.json").write_text(json.dumps(predictions))  # NaN too
    return DetectionEvidence.read(folder)


def test_detections_are_matched_and_sorted(tmp_path: Path) -> None:
    reference = truth((1, 1, 0), (2, 1, 1), (3, 2, 0))
    predictions = [found(1, 1, 0.3, width=28), found(2, 1, 0.9), found(3, 1, 0.9), found(3, 2, 0.5)]
    evidence = detection(tmp_path, reference, predictions)
    assert evidence.ids == ("image 1", "image 2", "image 3")
    assert evidence.boxes.tolist() == [[1, 0], [0, 0], [0, 1]]
    car, bus = evidence.detections
    assert car.image.tolist() == [1, 2, 0]  # equal scores in the order of images
    assert car.score.tolist() == [0.9, 0.9, 0.3]
    assert car.matched[:, 2].tolist() == [True] * 5 + [False] * 5  # IoU 0.7
    assert car.ignored.tolist() == [[True, False, False]] * 10  # the crowd's
    assert bus.image.tolist() == [2]
    assert bus.matched.all()
    assert bus.matched.shape == (10, 1)


def test_average_precision_of_evidence_is_that_of_the_scores(tmp_path: Path) -> None:
    reference = truth((1, 1, 0), (2, 1, 0), (3, 1, 0))
    predictions = [found(1, 1, 0.8, width=28), found(2, 1, 0.7), found(3, 2, 0.5)]
    expected = detection_scores(reference, predictions)
    found_ap = average_precision(detection(tmp_path, reference, predictions))
    assert float(found_ap[:, 0].mean()) == pytest.approx(expected["metrics"]["mAP"])
    assert np.isnan(found_ap[:, 1]).all()


def coco_case(rng: np.random.Generator, images: int) -> tuple[dict, list[dict]]:
    """Random boxes of three classes, the last without truth; some crowds; scores all different."""
    annotations: list[dict] = []
    predictions: list[dict] = []
    for image in range(1, images + 1):
        for _ in range(int(rng.integers(0, 6))):
            box, category = [*rng.uniform(0, 80, 2).tolist(), *rng.uniform(8, 40, 2).tolist()], int(rng.integers(1, 3))
            row = {"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box}
            annotations.append({**row, "area": box[2] * box[3], "iscrowd": int(rng.random() < 0.15)})
            if rng.random() < 0.8:
                near = (np.array(box) + rng.normal(0, 2, 4)).tolist()
                predictions.append({**row, "bbox": near, "score": float(rng.random())})
        for _ in range(int(rng.integers(0, 5))):
            box = [*rng.uniform(0, 80, 2).tolist(), 20.0, 20.0]
            category = int(rng.integers(1, 4))
            predictions.append({"image_id": image, "category_id": category, "bbox": box, "score": float(rng.random())})
    categories = [{"id": i, "name": name} for i, name in enumerate(("car", "bus", "tram"), 1)]
    listed = [{"id": i, "file_name": f"{i}"} for i in range(1, images + 1)]
    return {"info": {}, "images": listed, "annotations": annotations, "categories": categories}, predictions


def pycocotools_ap(reference: dict, predictions: list[dict], weights: np.ndarray) -> np.ndarray:
    """AP by pycocotools afresh ``[T, K]``, on copies of the images under ids of their own."""
    new = [(old, copy) for old, w in enumerate(weights.tolist(), 1) for copy in range(w)]
    rows = [[{**r, "image_id": i} for i, (old, _) in enumerate(new, 1) for r in part if r["image_id"] == old]
            for part in (reference["annotations"], predictions)]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        annotations = [{**r, "id": i} for i, r in enumerate(rows[0], 1)]
        coco.dataset = {**reference, "images": [{"id": i} for i in range(1, len(new) + 1)], "annotations": annotations}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([{**r} for r in rows[1]]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1].mean(1)
    return np.where(precision < 0, np.nan, precision)


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_pycocotools_on_all_images_and_on_resamples(tmp_path: Path, seed: int, monkeypatch) -> None:
    reference, predictions = coco_case(np.random.default_rng(seed), 12)
    evidence = detection(tmp_path, reference, predictions)
    ones = np.ones((1, 12), np.int32)
    whole = pycocotools_ap(reference, predictions, ones[0])
    assert np.isnan(whole[:, 2]).all()
    assert 0.1 < np.nanmean(whole) < 0.9
    assert average_precision(evidence) == pytest.approx(whole, abs=1e-9, nan_ok=True)
    assert average_precision(evidence, ones)[0] == pytest.approx(whole, abs=1e-9, nan_ok=True)
    weights = image_weights(12, 9, seed)
    expected = np.stack([pycocotools_ap(reference, predictions, w) for w in weights])
    assert average_precision(evidence, weights) == pytest.approx(expected, abs=1e-9, nan_ok=True)
    monkeypatch.setattr("tasks.evaluate.statistics.CELLS", 50)  # blocks of a resample or two
    assert average_precision(evidence, weights) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_equal_scores_are_in_pycocotools_order(tmp_path: Path) -> None:
    reference, predictions = coco_case(np.random.default_rng(7), 12)
    predictions = [{**p, "score": round(p["score"], 1)} for p in predictions]
    expected = pycocotools_ap(reference, predictions, np.ones(12, np.int32))
    assert average_precision(detection(tmp_path, reference, predictions)) == pytest.approx(
        expected, abs=1e-9, nan_ok=True
    )


def test_at_most_100_boxes_an_image(tmp_path: Path) -> None:
    predictions = [found(1, 1, 0.5 + i / 1000, width=10.0 + i) for i in range(150)]
    evidence = detection(tmp_path, truth((1, 1, 0)), predictions)
    assert evidence.detections[0].score.min() == pytest.approx(0.55)
    assert len(evidence.detections[0].score) == 100


def test_nothing_found_and_nothing_to_find(tmp_path: Path) -> None:
    evidence = detection(tmp_path, truth((1, 1, 0)), [])
    assert [d.matched.shape for d in evidence.detections] == [(10, 0), (10, 0)]
    assert (average_precision(evidence)[:, 0] == 0).all()
    nothing = detection(tmp_path, truth(), [found(1, 1, 0.5)])
    assert nothing.boxes.tolist() == [[0, 0]] * 3
    assert np.isnan(average_precision(nothing)).all()
    assert np.isnan(average_precision(detection(tmp_path, truth(images=0), []))).all()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("score", score) for score in (float("nan"), None)),
        *(("bbox", box) for box in ([1, 2, 3], [1, 2, 3, float("inf")])),
        *(("image_id", 9), ("category_id", 3)),
    ],
)
def test_broken_predictions_are_named(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(EvidenceError, match=r"predictions\.json: row 1: "):
        detection(tmp_path, truth((1, 1, 0)), [found(1, 1, 0.5), {**found(1, 1, 0.4), key: value}])


def test_scores_and_ground_truth_of_different_evaluations(tmp_path: Path) -> None:
    detection(tmp_path, truth((1, 1, 0)), [])
    scores(tmp_path, ("car", "tram"), 3)
    with pytest.raises(EvidenceError, match="differ in their classes"):
        DetectionEvidence.read(tmp_path)
    scores(tmp_path, ("car", "bus"), 4)
    with pytest.raises(EvidenceError, match="or images"):
        DetectionEvidence.read(tmp_path)
    (tmp_path / "ground_truth.json").write_text("{}")
    with pytest.raises(EvidenceError, match=r"ground_truth\.json: no 'categories'"):
        DetectionEvidence.read(tmp_path)


def test_what_is_wrong_is_said_in_the_language_that_is_spoken(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, confusions)
    one = SegmentationEvidence.read(tmp_path)
    with pytest.raises(EvidenceError) as refused:
        check_comparable(one, replace(one, ids=("b", "a", "c")), "하나", "둘")
    with pytest.raises(EvidenceError) as missing:
        DetectionEvidence.read(tmp_path)
    with speaking("ko"):
        assert (
            str(refused.value)
            == "하나 / 둘: 비교할 수 없습니다. 이미지의 순서가 다릅니다. 둘을 같은 벤치마크로 평가하십시오"
        )
        assert "읽을 수 없습니다(파일이 없음). 모델을 다시 평가하십시오" in str(missing.value)
    assert str(refused.value).startswith("하나 and 둘 cannot be compared: their images are in another order")


# What can be compared


def test_comparable_and_not(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, confusions, ("road",))
    one = SegmentationEvidence.read(tmp_path)
    counts = one.counts.copy()
    counts[..., 0] //= 2
    check_comparable(one, replace(one, counts=counts), "one", "two")  # another model of the same benchmark
    counts[1, 0, 1] += 1
    cases = {
        "classes differ: road, car, sky; and road, car, tree": replace(one, names=("road", "car", "tree")),
        "left-out classes differ": replace(one, left_out=()),
        r"2 images are in one only \(b, d\)": replace(one, ids=("a", "c", "d")),
        "in another order": replace(one, ids=("b", "a", "c")),
        r"labels of 1 images differ \(b\)": replace(one, counts=counts),
    }
    for message, other in cases.items():
        with pytest.raises(EvidenceError, match=rf"^one and two cannot be compared: .*{message}"):
            check_comparable(one, other, "one", "two")


def test_detection_of_other_boxes_or_of_another_task(tmp_path: Path, confusions) -> None:
    segmentation(tmp_path, confusions)
    segmented = SegmentationEvidence.read(tmp_path)
    one = detection(tmp_path, truth((1, 1, 0)), [])
    check_comparable(one, detection(tmp_path, truth((1, 1, 0)), [found(1, 1, 0.5)]), "one", "two")
    with pytest.raises(EvidenceError, match=r"labels of 2 images differ \(image 1, image 2\)"):
        check_comparable(one, detection(tmp_path, truth((2, 1, 0)), []), "one", "two")
    with pytest.raises(EvidenceError, match="the other a detection model"):
        check_comparable(segmented, one, "one", "two")

"""Recall against cases made by hand: two images, boxes of three sizes, scores around the best threshold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.audit.recall import best_threshold, recall_by_size
from tasks.contracts.audit import Rate, Recall

SMALL, MEDIUM, LARGE = [10, 10, 20, 20], [100, 10, 40, 40], [10, 100, 100, 100]
FAR = [300, 300, 30, 30]
Boxes = list[tuple[int, int, list[int]]]  # image, category, x y width height
Found = list[tuple[int, int, list[int], float]]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes an evaluation's two files."""

    def make(name: str, boxes: Boxes, found: Found, names: tuple[str, ...] = ("a", "b"), crowd: Boxes = []) -> Path:  # noqa: B006
        folder = tmp_path / name
        folder.mkdir()
        annotations: list[dict[str, Any]] = [
            {"image_id": i, "category_id": c, "bbox": b, "area": b[2] * b[3], "iscrowd": int(n >= len(boxes))}
            for n, (i, c, b) in enumerate([*boxes, *crowd])
        ]
        truth = {
            "info": {},
            "images": [{"id": i, "file_name": n, "width": 400, "height": 400} for i, n in enumerate(names, 1)],
            "annotations": [{**a, "id": i} for i, a in enumerate(annotations, 1)],
            "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
        }
        (folder / "ground_truth.json").write_text(json.dumps(truth))
        keys = ("image_id", "category_id", "bbox", "score")
        results = [dict(zip(keys, row, strict=True)) for row in found]
        (folder / "predictions.json").write_text(json.dumps(results))
        return folder

    return make


def by_size(recalls: tuple[Recall, ...]) -> dict[str, tuple[int, float | None, float | None]]:
    return {r.size: (r.boxes, r.before.value, r.after.value) for r in recalls}


BOXES: Boxes = [(1, 1, SMALL), (1, 2, MEDIUM), (2, 1, LARGE), (2, 1, SMALL)]


def test_recall_of_each_size(write: Write) -> None:
    before = write("before", BOXES, [(i, c, b, 0.8) for i, c, b in BOXES])
    after = write("after", BOXES, [(2, 1, LARGE, 0.9), (1, 1, SMALL, 0.8)])
    assert by_size(recall_by_size(before, after)) == {
        "all": (4, 1, 2 / 4),
        "small": (2, 1, 1 / 2),
        "medium": (1, 1, 0),
        "large": (1, 1, 1),
    }


def test_the_same_evaluation_loses_nothing(write: Write) -> None:
    folder = write("one", BOXES, [(1, 1, SMALL, 0.8), (2, 1, FAR, 0.7), (2, 1, LARGE, 0.1)])
    assert all(r.before == r.after for r in recall_by_size(folder, folder))


def test_a_box_is_found_by_its_own_class_in_its_own_image(write: Write) -> None:
    before = write("before", BOXES, [(i, c, b, 0.8) for i, c, b in BOXES])
    after = write("after", BOXES, [(1, 1, MEDIUM, 0.9), (1, 1, LARGE, 0.9), (2, 2, SMALL, 0.9)])
    assert [r.after.value for r in recall_by_size(before, after)] == [0, 0, 0, 0]


def test_iou_of_one_half_is_found_and_less_is_not(write: Write) -> None:
    before = write("before", [(1, 1, [0, 0, 20, 10])], [(1, 1, [0, 0, 10, 10], 0.5)])  # IoU 1/2
    after = write("after", [(1, 1, [0, 0, 21, 10])], [(1, 1, [0, 0, 10, 10], 0.5)])
    assert by_size(recall_by_size(before, after))["all"] == (1, 1, 0)


def test_one_detection_finds_one_box(write: Write) -> None:
    twice: Boxes = [(1, 1, SMALL), (1, 1, SMALL)]
    folder = write("one", twice, [(1, 1, SMALL, 0.9)])
    assert by_size(recall_by_size(folder, folder))["all"] == (2, 1 / 2, 1 / 2)


def test_sizes_begin_at_their_area(write: Write) -> None:
    boxes: Boxes = [(1, 1, [0, 0, 32, 31]), (1, 1, [100, 0, 32, 32]), (1, 1, [200, 0, 96, 95]), (2, 1, [0, 0, 96, 96])]
    folder = write("one", boxes, [])
    assert {s: n for s, (n, _, _) in by_size(recall_by_size(folder, folder)).items()} == {
        "all": 4,
        "small": 1,
        "medium": 2,
        "large": 1,
    }


def test_the_threshold_with_the_best_f1(write: Write) -> None:
    # F1 from 0.9, 0.8, 0.6, 0.3 on: 2/5, 4/6, 4/7, 6/8; from 0.001 on, with 20 more false alarms, 8/29.
    found: Found = [(1, 1, SMALL, 0.9), (1, 2, MEDIUM, 0.8), (2, 1, FAR, 0.6), (2, 1, LARGE, 0.3)]
    noise: Found = [(1, 2, FAR, 0.001)] * 20 + [(2, 1, SMALL, 0.001)]
    before = write("before", BOXES, found + noise)
    assert best_threshold(before) == 0.3
    # After translation, a box found with a score below it is lost.
    after = write("after", BOXES, [(i, c, b, s) for (i, c, b), s in zip(BOXES, (0.3, 0.29, 0.9, 0.001), strict=True)])
    assert by_size(recall_by_size(before, after))["all"] == (4, 3 / 4, 2 / 4)


def test_equal_scores_are_kept_together(write: Write) -> None:
    # From 0.7 on, one box of one and three false alarms; a threshold between equal scores does not exist.
    folder = write(
        "one", [(1, 1, SMALL), (2, 1, SMALL)], [(1, 1, SMALL, 0.7), *[(1, 1, FAR, 0.7)] * 3, (2, 1, SMALL, 0.6)]
    )
    assert best_threshold(folder) == 0.6  # F1 4/7; 2/6 at 0.7


def test_crowds_do_not_count(write: Write) -> None:
    crowd: Boxes = [(2, 1, LARGE)]
    # The detection in the crowd is no false alarm, or 0.9 would be best.
    folder = write(
        "one",
        [(1, 1, SMALL), (1, 2, MEDIUM)],
        [(1, 1, SMALL, 0.9), *[(2, 1, LARGE, 0.8)] * 3, (1, 2, MEDIUM, 0.7)],
        crowd=crowd,
    )
    assert best_threshold(folder) == 0.7
    assert by_size(recall_by_size(folder, folder)) == {
        "all": (2, 1, 1),
        "small": (1, 1, 1),
        "medium": (1, 1, 1),
        "large": (0, None, None),
    }


def test_no_boxes(write: Write) -> None:
    folder = write("one", [], [(1, 1, SMALL, 0.9)])
    assert best_threshold(folder) == 0
    nothing = Rate(value=None)
    assert all((r.boxes, r.before, r.after) == (0, nothing, nothing) for r in recall_by_size(folder, folder))


def test_no_predictions(write: Write) -> None:
    nothing = write("nothing", BOXES, [])
    assert best_threshold(nothing) == 0
    assert by_size(recall_by_size(nothing, nothing))["all"] == (4, 0, 0)
    all_found = write("all", BOXES, [(i, c, b, 0.8) for i, c, b in BOXES])
    assert by_size(recall_by_size(all_found, nothing))["all"] == (4, 1, 0)


def test_variants_are_scored_against_their_own_truth_and_resampled_together(write: Write) -> None:
    names = tuple(f"{n}__v{k}" for n in "ab" for k in range(3))
    before = write("before", [(1, 1, SMALL), (2, 1, SMALL)], [(1, 1, SMALL, 0.8), (2, 1, SMALL, 0.8)])
    boxes: Boxes = [(i, 1, SMALL) for i in range(1, 7)]
    after = write("after", boxes, [(i, 1, SMALL, 0.8) for i in (1, 2, 3)], names)  # all of a, none of b
    recall = recall_by_size(before, after)[0]
    assert (recall.boxes, recall.after.value) == (2, 1 / 2)
    assert (recall.after.low, recall.after.high) == (0, 1)  # as of two images; of six, 0 and 1 would be rare


def test_intervals_hold_their_value_and_repeat(write: Write) -> None:
    names = tuple(map(str, range(40)))
    boxes: Boxes = [(i, 1, SMALL) for i in range(1, 41)]
    folder = write("one", boxes, [(i, 1, SMALL, 0.8) for i in range(1, 31)], names)
    rate = recall_by_size(folder, folder)[0].after
    assert rate.value == 30 / 40
    assert rate.low == pytest.approx(0.75 - 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.04)
    assert rate.high == pytest.approx(0.75 + 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.04)
    assert recall_by_size(folder, folder)[0].after == rate


def test_errors_name_the_file(write: Write) -> None:
    folder = write("one", BOXES, [(3, 1, SMALL, 0.9)])
    with pytest.raises(ValueError, match=r"one: predictions.json has .*'image_id': 3.*, of no image of ground_truth"):
        recall_by_size(folder, folder)
    (folder / "predictions.json").write_text("[")
    with pytest.raises(ValueError, match=r"predictions.json: cannot be read .*evaluate the detector again"):
        best_threshold(folder)
    (folder / "ground_truth.json").unlink()
    with pytest.raises(ValueError, match=r"ground_truth.json: cannot be read"):
        best_threshold(folder)

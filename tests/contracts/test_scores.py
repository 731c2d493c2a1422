"""The scores of an evaluation: what the file holds, and files of before that lack something."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tasks.contracts.filed import first_problem
from tasks.contracts.scores import ClassScore, Scores
from tasks.store.files import write_json


def test_the_file_holds_what_was_measured_and_no_score_of_the_other_task(tmp_path: Path) -> None:
    classes = (ClassScore(name="road", IoU=0.5, accuracy=0.75), ClassScore(name="train", IoU=None, accuracy=None))
    scores = Scores(task="segmentation", images=3, metrics={"mIoU": 0.5}, classes=classes, left_out=("train",))
    assert scores.content() == {
        "task": "segmentation",
        "images": 3,
        "metrics": {"mIoU": 0.5},
        "classes": [{"name": "road", "IoU": 0.5, "accuracy": 0.75}, {"name": "train", "IoU": None, "accuracy": None}],
        "left_out": ["train"],
    }
    write_json(tmp_path / Scores.FILE, scores.content())
    assert Scores.read(tmp_path) == scores


def test_a_file_from_before_classes_could_be_left_out(tmp_path: Path) -> None:
    write_json(tmp_path / "scores.json", {"images": 1, "metrics": {}, "classes": [{"name": "car", "AP": 0.2}]})
    scores = Scores.read(tmp_path)
    assert (scores.task, scores.left_out, scores.classes[0].AP50) == (None, (), None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "Invalid JSON"),
        ('{"metrics": {}, "classes": []}', "images: Field required"),
        ('{"images": 1, "metrics": {}, "classes": [{"AP": 0.1}]}', "classes.0.name: Field required"),
    ],
)
def test_another_form_is_told_in_one_line(tmp_path: Path, content: str, problem: str) -> None:
    with pytest.raises(FileNotFoundError):
        Scores.read(tmp_path)
    (tmp_path / "scores.json").write_text(content)
    with pytest.raises(ValidationError) as refused:
        Scores.read(tmp_path)
    assert first_problem(refused.value).startswith(problem)
    assert "\n" not in first_problem(refused.value)

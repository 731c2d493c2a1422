"""Attributes of a plain folder's images, and everything that can be wrong with their table."""

from pathlib import Path

import pytest

from tasks.datasets.errors import DatasetError
from tests.datasets.test_read_folder import Folder

HEADER = "name,weather,time of day\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def write(folder: Folder, text: str, encoding: str = "utf-8") -> None:
    (folder.root / "attributes_train.csv").write_text(text, encoding)


NAMED = {"attributes": "attributes_{split}.csv"}


def test_attributes_are_extras_of_their_images(folder: Folder) -> None:
    folder.coco["images"][0]["weather"] = "hazy"
    folder.coco["images"][3]["weather"] = "hazy"
    folder.save()
    write(folder, HEADER + "drive_0.png,rain,night\ndrive_1,clear,\n\n", "utf-8-sig")
    result = folder.read(**NAMED)
    assert result.rejected == []
    extras = {s.id: s.extra for s in result.table}
    assert extras == {
        "drive_0": {"weather": "rain", "time of day": "night"},  # the table's word before the boxes file's
        "drive_1": {"weather": "clear"},
        "drive_2": {},
        "drive_3": {"weather": "hazy"},
    }


def test_rows_without_an_image_and_rows_that_repeat_or_contradict(folder: Folder) -> None:
    write(folder, HEADER + "drive_9,rain,day\ndrive_0,rain,day\ndrive_0,rain,day\ndrive_1,rain,day\ndrive_1,snow,day\n")
    result = folder.read(**NAMED)
    assert [s.id for s in result.table] == ["drive_0", "drive_2", "drive_3"]
    told = {(r.file.name, r.finding.code) for r in result.rejected}
    assert told == {
        ("attributes_train.csv", "data.label_without_image"),
        ("attributes_train.csv", "data.rows_merged"),
        ("drive_1.png", "data.rows_contradict"),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the first line must name"),
        ("name\ndrive_0\n", "the first line must name"),
        ("name,weather,weather\n", "the first line must name"),
        (HEADER + "drive_0,rain\n", "row 2: not the 3 cells of the first line"),
    ],
)
def test_a_table_of_another_form_is_refused(folder: Folder, text: str, problem: str) -> None:
    write(folder, text)
    with pytest.raises(DatasetError, match=problem) as refused:
        folder.read(**NAMED)
    assert "attributes_train.csv" in str(refused.value)


def test_a_table_that_is_not_there_is_refused(folder: Folder) -> None:
    with pytest.raises(DatasetError, match=r"attributes_train\.csv"):
        folder.read(**NAMED)

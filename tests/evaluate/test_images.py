"""What an evaluation keeps of the benchmark's images: drives, the order of frames, attributes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.evaluate.images import IMAGES, read_images, write_images


def table(rows: dict[str, tuple[str | None, dict[str, Any]]]) -> SampleTable:
    info = TableInfo(dataset="streets", classes=(), detection=(), encoding=None, boxes_from=None)
    samples = [
        Sample(name, Path(f"/{name}.png"), None, 4, 4, "val", name, None, None, extra, sequence)
        for name, (sequence, extra) in rows.items()
    ]
    return SampleTable.from_samples(samples, info, Path("/"))


def test_drives_frames_in_their_order_and_attributes_come_back(tmp_path: Path) -> None:
    rows = {
        "b_10": ("b", {"weather": "rain", "camera": 2, "attributes": {"night": True, "angle": 0.5}}),
        "b_9": ("b", {"weather": None, "boxes": [1]}),
        "a_1": ("a", {}),
        "alone": (None, {}),
    }
    write_images(tmp_path, table(rows))
    found = read_images(tmp_path, ("a_1", "alone", "b_10", "b_9"))
    assert found is not None
    assert (found.benchmark, found.has_drives) == ("streets", True)
    assert found.sequences == ("a", None, "b", "b")
    order = np.argsort(found.places)
    assert [found.sequences[i] for i in order] == [None, "a", "b", "b"]
    assert found.places[3] < found.places[2]  # frame 9 before frame 10
    assert found.attributes[2] == {"weather": "rain", "camera": "2", "attributes.night": "true"}
    assert found.attributes[3] == {}


def test_an_older_evaluation_does_not_say_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    assert read_images(tmp_path, ("a",)) is None
    write_images(tmp_path, table({"a": (None, {})}))
    known = read_images(tmp_path, ("a",))
    assert known is not None
    assert not known.has_drives
    with pytest.raises(ValueError, match="says nothing of 'b': evaluate the model again"):
        read_images(tmp_path, ("a", "b"))
    (tmp_path / IMAGES).write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="cannot be read"):
        read_images(tmp_path, ("a",))

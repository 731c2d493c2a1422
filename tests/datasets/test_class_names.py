"""Lists of class names, as tools and Windows write them."""

from pathlib import Path

import pytest

from tasks.datasets.class_names import class_names, in_order
from tasks.datasets.errors import DatasetError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_classes_of_windows(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes("car \r\n\r\n승용차\t\r\n\r\n \r\n".encode(encoding))
    assert class_names(path) == {0: "car", 2: "승용차"}
    assert in_order(class_names(path)) == ("car", "class 1", "승용차")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [car, no, 2024-13-45, 1, 0x1F, ~, 12:30]", ["car", "no", "2024-13-45", "1", "0x1F", "~", "12:30"]),
        ("names: {0: 2024-02-30, 1: on}", ["2024-02-30", "on"]),
        ("train: 2024-99-99\nnames:\n  - car\n", ["car"]),
        ("names: [!!python/object/apply:os.getcwd []]", None),
        ("names: [&a [x, x], *a]", None),
        ("names: {[1]: x}", None),
        ("names: {-1: x}", None),
        ("names: {99999999: x}", None),
        ("names: " + "[" * 3000, None),
        ("names: car", None),
        ("[car]", None),
        ("a: b: c", None),
        ("", None),
    ],
)
def test_names_of_yaml(tmp_path: Path, text: str, names: list[str] | None) -> None:
    (tmp_path / "data.yaml").write_text(text)
    if names is None:
        with pytest.raises(DatasetError):
            class_names(tmp_path / "data.yaml")
    else:
        assert list(class_names(tmp_path / "data.yaml").values()) == names


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\xff\xff")
    for path in (tmp_path / "classes.txt", tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DatasetError, match="YOLO's class names"):
            class_names(path)

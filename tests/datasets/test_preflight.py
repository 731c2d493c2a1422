"""What is said of data sets when a configuration is loaded: the key that is wrong, and a sentence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.catalogue.language import say, speaking
from tasks.datasets.config import DatasetsConfig
from tasks.datasets.preflight import datasets_problems, label_problems
from tasks.datasets.read import reader_of
from tasks.datasets.table import Box, Sample, SampleTable
from tests.datasets.test_checks import INFO
from tests.datasets.test_formats import FORMATS
from tests.datasets.writers.scene import TAXONOMY, Format

BOTH = dict.fromkeys(("source", "target", "benchmark"), ("masks", "boxes"))
CITYSCAPES = "configs/taxonomies/cityscapes19.yaml"


def folder(name: str) -> dict[str, Any]:
    """A plain folder; nothing of it is read."""
    return {"format": "folder", "name": name, "root": "nowhere"}


def told(taxonomy: str | Path = CITYSCAPES, needed: Any = BOTH, **changes: Any) -> list[tuple[str, str]]:
    """The dotted keys and sentences of data sets with changes."""
    sides = {"source": folder("morai"), "target": folder("cityscapes"), "benchmark": folder("cityscapes")}
    config = DatasetsConfig.model_validate({"taxonomy": taxonomy, **sides, **changes})
    problems = list(datasets_problems(config, needed))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(".".join(map(str, p.place)), say(p.finding)) for p in problems]


def taxonomy(folder: Path, **content: Any) -> Path:
    """A taxonomy of one class, and one map beside it."""
    road = {"name": "road", "color": [1, 2, 3]}
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"name": "own", "classes": [road], "detection": ["car"], **content}))
    (folder / "own").mkdir(exist_ok=True)
    for name in ("morai", "cityscapes"):
        (folder / "own" / f"{name}.yaml").write_text("masks: {kind: index, values: {road: [0]}}\nboxes: {car: car}\n")
    return path


def test_nothing_is_wrong_with_what_there_is() -> None:
    assert told() == []


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_map_is_the_one_that_the_reader_takes(format_: Format, tmp_path: Path) -> None:
    config = format_.config(tmp_path)
    try:
        reader = reader_of(config, TAXONOMY)
    except Exception:  # noqa: BLE001 - some readers look for files at once
        pytest.skip("needs files")
    assert config.map_name == reader.dataset


def test_taxonomy_that_is_missing_or_none(tmp_path: Path) -> None:
    ((place, sentence),) = told(tmp_path / "none.yaml")
    assert place == "taxonomy"
    assert sentence.startswith(f"there is no file {tmp_path / 'none.yaml'};")
    (tmp_path / "bad.yaml").write_text("name: bad\nclases: []\n")
    ((place, sentence),) = told(tmp_path / "bad.yaml")
    assert place == "taxonomy"
    assert "is not a taxonomy: classes: Field required" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("detection", "expected"),
    [((), "names each class once, and at least one"), (("car", "tank"), "tank is no detection class")],
)
def test_detection_classes(detection: tuple[str, ...], expected: str) -> None:
    ((place, sentence),) = told(detection=detection)
    assert place == "detection"
    assert expected in sentence


def test_map_that_is_missing_is_named_with_what_to_write() -> None:
    ((place, sentence),) = told(source=folder("mysim"))
    assert place == "source.name"
    assert sentence.startswith(
        "there is no configs/taxonomies/cityscapes19/mysim.yaml, which says what this data set's"
    )
    assert "masks (kind, values: class -> list of the labels' values) and boxes" in sentence
    ((place, sentence),) = told(source={"format": "morai", "root": "x", "palette": "morai3"})
    assert place == "source.palette"
    assert sentence.endswith("there is morai33")
    sides = {"source": folder("minisim"), "target": folder("camvid"), "benchmark": {"format": "gta5", "root": "x"}}
    ((place, _),) = told("configs/taxonomies/camvid11.yaml", **sides)
    assert place == "benchmark"


def test_one_class_is_none_for_segmentation(tmp_path: Path) -> None:
    ((place, sentence),) = told(taxonomy(tmp_path))
    assert place == "taxonomy"
    assert f"{tmp_path / 'own.yaml'} has one class, road:" in sentence
    assert told(taxonomy(tmp_path), dict.fromkeys(BOTH, ("boxes",))) == []


def test_map_without_the_labels_that_are_needed(tmp_path: Path) -> None:
    classes = [{"name": name, "color": [n, 2, 3]} for n, name in enumerate(("road", "sky"))]
    path = taxonomy(tmp_path, classes=classes)
    (tmp_path / "own" / "morai.yaml").write_text("boxes: {tree: null}\n")
    assert [place for place, _ in told(path)] == ["source.name"] * 2
    masks, boxes = (sentence for _, sentence in told(path))
    assert masks.startswith(f"masks are needed of this data set, but {tmp_path / 'own' / 'morai.yaml'} makes no value")
    assert "makes no object any of car: fill in boxes" in boxes
    assert told(path, {"benchmark": ("masks", "boxes")}) == []


def table(boxes: tuple[Box, ...] | None, pixels: tuple[int, ...] | None) -> SampleTable:
    """A set of one image with such labels."""
    mask = None if pixels is None else Path("/m.png")
    files = ("a", Path("/a.png"), mask, 8, 8, "val", "s", None, boxes)
    return SampleTable.from_samples([Sample(*files, class_pixels=pixels)], INFO, Path("/"))


@pytest.mark.parametrize(
    ("boxes", "pixels", "role", "expected"),
    [
        ((Box(0, 1, 1, 2, 2),), (3, 0), "benchmark", []),
        ((Box(0, 1, 1, 2, 2),), (0, 0), "benchmark", ["settings.no_pixel"]),
        ((), (3, 0), "benchmark", ["settings.no_box"]),
        ((), (0, 0), "source", ["settings.no_pixel", "settings.no_box"]),
        ((Box(0, 1, 1, 2, 2, crowd=True),), (3, 0), "benchmark", ["settings.no_box"]),
        ((Box(0, 1, 1, 2, 2, crowd=True),), (3, 0), "source", []),
        (None, None, "benchmark", []),  # the checks say that there are no labels at all
    ],
)
def test_labels_with_nothing_to_score(boxes: Any, pixels: Any, role: str, expected: list[str]) -> None:
    problems = list(label_problems(role, table(boxes, pixels), ("masks", "boxes")))
    assert [p.finding.code for p in problems] == expected
    assert all(say(p.finding).startswith("none of the 1 ") for p in problems)
    assert list(label_problems(role, table(boxes, pixels), ())) == []

"""Reading Virtual KITTI 2: what every format must survive is in test_formats.py; here are its texts and folders."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import VirtualKittiDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tests.datasets.writers.scene import HEIGHT, TAXONOMY, WIDTH, draw
from tests.datasets.writers.virtual_kitti import BBOX, COLORS, INFO, write

FRAMES = [draw(n, [c for c in COLORS if c not in ("car", "truck")], ["car", "truck"]) for n in range(3)]
ID = "Scene01__clone__Camera_0__00000"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A variation of three frames."""
    write(tmp_path, FRAMES)
    return tmp_path / "Scene01" / "clone"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadResult]:
    return lambda **options: read_dataset(
        VirtualKittiDataset(format="virtual_kitti", root=tmp_path, **options), TAXONOMY
    )


def boxes(result: ReadResult, name: str = ID) -> set[Box]:
    return set(next(s.boxes or () for s in result.table if s.id == name))


def text(clone: Path, *lines: str, info: str = "0 Car a Red\n5 Van b Red\n7 Truck c Red\n9 Tram d Red\n") -> None:
    (clone / "bbox.txt").write_text(BBOX + "\n".join(lines) + "\n")
    (clone / "info.txt").write_text(INFO + info)


def test_sides_lie_inside_the_box_and_few_pixels_hide_it(clone: Path, read: Callable[..., ReadResult]) -> None:
    text(
        clone,
        f"0 0 0 10 {WIDTH - 1} 20 {HEIGHT - 1} 16 0.42 0.76 False",
        "0 0 5 3 3 4 4 15 0 1 True",
        "",
        "0 1 7 1 2 3 4 99 0 1 True",
        "0 0 7 -5 8 4 9 20.0 0 1 True",
    )
    result = read()
    assert result.rejected == []
    assert boxes(result) == {Box(1, 10, 20, WIDTH, HEIGHT), Box(2, 0, 4, 9, 10)}
    assert result.hidden == 1
    assert Box(1, 3, 4, 4, 5) in boxes(read(min_box_pixels=1))
    assert boxes(result, "Scene01__clone__Camera_0__00001") == set()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0 0 1 2 3 4", "has 7 fields instead of 11"),
        ("0", "has 1 fields instead of 11"),
        ("0 left 0 1 9 3 9 20 0 1 True", "cameraID is 'left', neither 0 nor 1"),
        ("0 0 6 1 9 3 9 20 0 1 True", "track '6' has no class in info.txt"),
        ("0 0 8 1 9 3 9 20 0 1 True", "info.txt gives trackID 8 the classes Car, Van"),
        ("0 0 9 1 9 3 9 20 0 1 True", "class 'Tram' is not in the taxonomy's maps.virtual_kitti.boxes"),
        ("0 0 0 1 9 x 9 20 0 1 True", "top is 'x', which is no number"),
        ("0 0 0 1 9 3 9 nan 0 1 True", "number_pixels is 'nan', which is no number"),
        ("0 0 0 9 7 3 9 20 0 1 True", "has no area"),
    ],
)
def test_a_malformed_line(clone: Path, read: Callable[..., ReadResult], line: str, reason: str) -> None:
    text(
        clone,
        "0 0 0 1 9 3 9 20 0 1 True",
        line,
        info="0 Car a Red\n0 Car a Blue\n6\n8 Car a Red\n8 Van a Red\n9 Tram d Red\n",
    )
    result = read()
    assert [(r.file, r.cause, r.kind) for r in result.rejected] == [(clone / "bbox.txt", "boxes", "box")]
    assert (result.rejected[0].finding.code, result.rejected[0].finding.values["line"]) == ("data.in_line", 3)
    assert reason in say(result.rejected[0].finding)
    assert boxes(result) == {Box(1, 1, 3, 10, 10)}


def test_lines_of_no_known_frame(clone: Path, read: Callable[..., ReadResult]) -> None:
    text(clone, "first 0 0 1 9 3 9 20 0 1 True", "8 0 0 1 9 3 9 20 0 1 True", "-1 0")
    result = read()
    assert len(result.table) == 3
    found = {(r.cause, say(r.finding)) for r in result.rejected}
    assert {r.file for r in result.rejected} == {clone / "bbox.txt"}
    assert ("boxes", "line 2: 'first' is no frame's number") in found
    assert ("boxes", "line 4: '-1' is no frame's number") in found
    assert any(cause == "paired" and "rgb_00008.jpg" in reason for cause, reason in found)
    assert len(found) == 3


def test_variations_and_cameras(clone: Path, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    shutil.copytree(clone, tmp_path / "scene01" / "FOG")
    shutil.copytree(clone, tmp_path / "Scene20" / "fog")
    right = tmp_path / "Scene20" / "fog" / "frames"
    for kind in ("rgb", "classSegmentation"):
        shutil.copytree(right / kind / "Camera_0", right / kind / "Camera_1")
    result = read(variations=["fog"])
    assert result.rejected == []
    assert {(s.id[:13], s.sequence) for s in result.table} == {
        ("Scene01__fog_", "Scene01"),
        ("Scene20__fog_", "Scene20"),
    }
    assert result.table[0].extra == {"variation": "fog", "camera": 0}
    assert len(read().table) == 9
    other = read(camera=1)
    assert [s.id for s in other.table] == [f"Scene20__fog__Camera_1__0000{n}" for n in range(3)]
    assert boxes(other, "Scene20__fog__Camera_1__00000") == {Box(1, 0, 0, 6, 6), Box(2, 0, 0, 6, 6)}
    with pytest.raises(DatasetError, match="no variation rain; there are clone, fog"):
        read(variations=["fog", "rain"])


def test_all_variations_of_a_scene_are_in_one_split(
    clone: Path, tmp_path: Path, read: Callable[..., ReadResult]
) -> None:
    for name in ("Scene01/rain", "Scene02/clone", "Scene02/rain"):
        shutil.copytree(clone, tmp_path / name)
    shares = {"train": 0.5, "val": 0.5}
    scenes = [{s.id[:7] for s in read(split=split, shares=shares).table} for split in shares]
    assert sorted(map(sorted, scenes)) == [["Scene01"], ["Scene02"]]


@pytest.mark.parametrize("name", ["bbox.txt", "info.txt", "frames/classSegmentation"])
def test_a_variation_without_its_labels(
    clone: Path, tmp_path: Path, read: Callable[..., ReadResult], name: str
) -> None:
    fog = tmp_path / "Scene01" / "fog"
    shutil.copytree(clone, fog)
    (fog / name).rename(fog / "elsewhere")
    result = read()
    assert {s.extra["variation"] for s in result.table} == {"clone"}
    images = {fog / "frames" / "rgb" / "Camera_0" / f"rgb_0000{n}.jpg" for n in range(3)}
    assert {(r.file, r.cause) for r in result.rejected} == {(image, "paired") for image in images}
    assert all(f"no Scene01/fog/{name}" in say(r.finding) for r in result.rejected)


@pytest.mark.parametrize("content", ["", "frame track left\n", "0 0 0 1 9 3 9 20 0 1 True\n"])
def test_a_text_file_of_another_form(clone: Path, read: Callable[..., ReadResult], content: str) -> None:
    (clone / "bbox.txt").write_text(content)
    result = read()
    assert len(result.table) == 0
    values = {"file": clone / "bbox.txt", "first": content.strip(), "header": BBOX.strip()}
    reason = f"the first line of {clone / 'bbox.txt'} is {content.strip()!r} instead of {BBOX.strip()!r}"
    for rejected in result.rejected:
        assert rejected.finding.values["missing"] == Finding.of("data.vkitti_header", **values)
        assert say(rejected.finding) == f"image without label: {reason}"
    assert len(result.rejected) == 3


def test_an_image_that_lies_in_two_archives(clone: Path, tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    shutil.copytree(clone / "frames" / "rgb", tmp_path / "old" / "Scene01" / "clone" / "frames" / "rgb")
    result = read()
    assert len(result.table) == 3
    assert [r.cause for r in result.rejected] == ["unique"] * 3
    assert all(r.file.is_relative_to(tmp_path / "old") for r in result.rejected)


def test_colours(clone: Path, read: Callable[..., ReadResult]) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, :6] = (0, 199, 0)  # Tree
    pixels[:, 6:8] = (0, 139, 139)  # Van
    pixels[:, 8:12] = (250, 100, 255)  # GuardRail
    pixels[:, 12:16] = (255, 100, 255)  # GuardRail of 1.3.1
    Image.fromarray(pixels).save(clone / "frames" / "classSegmentation" / "Camera_0" / "classgt_00000.png")
    result = read()
    assert result.rejected == []
    table = result.table
    shown = dict(zip((c.name for c in table.info.classes), table[0].class_pixels or (), strict=True))
    assert {name: count for name, count in shown.items() if count} == {"vegetation": 6 * HEIGHT, "car": 2 * HEIGHT}


def test_no_images_at_all(tmp_path: Path, read: Callable[..., ReadResult]) -> None:
    message = f"{tmp_path}: no Scene<nn>/<variation>/frames/rgb/Camera_0 in it or in a folder in it"
    with pytest.raises(DatasetError, match=re.escape(message)):
        read()


def test_texts_with_a_byte_order_mark(clone: Path, read: Callable[..., ReadResult]) -> None:
    text(clone, "0 0 0 1 9 3 9 20 0 1 True")
    for name in ("bbox.txt", "info.txt"):
        (clone / name).write_bytes(b"\xef\xbb\xbf" + (clone / name).read_bytes())
    result = read()
    assert result.rejected == []
    assert boxes(result) == {Box(1, 1, 3, 10, 10)}

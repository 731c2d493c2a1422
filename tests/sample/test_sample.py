"""The embedded sample: what is drawn is what the readers find, and it is drawn the same every time."""

import hashlib
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.datasets.config import CityscapesDataset, MoraiDataset
from tasks.datasets.masks import read_mask
from tasks.datasets.read import read_dataset
from tasks.datasets.table import Box, SampleTable
from tasks.datasets.taxonomy import Taxonomy
from tasks.sample.drive import advance
from tasks.sample.looks import photographed, simulated
from tasks.sample.scene import VEHICLES, draw_scene
from tasks.sample.view import labels_of, look_at
from tasks.sample.write import write_sample

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
NAMES = [c.name for c in TAXONOMY.classes]
COUNT, WIDTH, HEIGHT, SEED = 3, 128, 64, 5
Side = Literal["simulated", "real"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, "simulated", "train", COUNT, WIDTH, HEIGHT, SEED)
    write_sample(folder, "real", "train", COUNT, WIDTH, HEIGHT, SEED)
    return folder


def table_of(root: Path, side: Side) -> SampleTable:
    kind = {
        "simulated": MoraiDataset(format="morai", root=root / "SensorData"),
        "real": CityscapesDataset(format="cityscapes", root=root),
    }
    result = read_dataset(kind[side], TAXONOMY)
    assert result.rejected == []
    return result.table


def generator(side: Side, number: int) -> np.random.Generator:
    """The generator of a street, as the writer documents it: of seed, side, split and number."""
    return np.random.default_rng([SEED, zlib.crc32(side.encode()), zlib.crc32(b"train"), number])


@pytest.mark.parametrize("side", ["simulated", "real"])
def test_masks_and_boxes_are_read_back_to_the_pixel(root: Path, side: Side) -> None:
    table = table_of(root, side)
    assert len(table) == COUNT
    assert any(s.boxes for s in table)
    for number, sample in enumerate(table):
        rng = generator(side, number)
        view = look_at(draw_scene(rng), WIDTH, HEIGHT)
        image, labels = (
            (simulated(view), labels_of(view)) if side == "simulated" else photographed(view, labels_of(view), rng)
        )
        np.testing.assert_array_equal(np.asarray(Image.open(sample.image)), image)
        meaning = np.array([NAMES.index(n) for n in labels.names], np.uint8)
        if side == "simulated":  # MORAI SIM has one colour for poles and trees
            meaning[labels.names.index("pole")] = NAMES.index("vegetation")
        assert sample.mask is not None
        assert table.info.encoding is not None
        np.testing.assert_array_equal(read_mask(sample.mask, table.info.encoding), meaning[labels.classes])
        assert sorted(sample.boxes, key=repr) == sorted(visible_boxes(labels), key=repr)


def visible_boxes(labels: object) -> list[Box]:
    """Independent of the readers: OpenCV's bounding rectangle of every object's visible pixels."""
    boxes = []
    for number in set(labels.objects.ravel().tolist()) - {0}:  # type: ignore[attr-defined]
        seen = labels.objects == number  # type: ignore[attr-defined]
        name = labels.names[np.bincount(labels.classes[seen]).argmax()]  # type: ignore[attr-defined]
        x, y, w, h = cv2.boundingRect(seen.astype(np.uint8))
        if seen.sum() >= 16:
            boxes.append(Box(TAXONOMY.detection.index(name), x, y, x + w, y + h))
    return boxes


@pytest.mark.parametrize("side", ["simulated", "real"])
def test_the_same_bytes_twice(root: Path, tmp_path: Path, side: Side) -> None:
    write_sample(tmp_path, side, "train", COUNT, WIDTH, HEIGHT, SEED)
    again = {p.relative_to(tmp_path): digest(p) for p in tmp_path.rglob("*") if p.is_file()}
    assert len(again) == COUNT * (4 if side == "simulated" else 3)
    assert again == {p: digest(root / p) for p in again}


def test_another_process_draws_the_same(root: Path, tmp_path: Path) -> None:
    """Python's hashes, and so the order of its sets, differ from process to process."""
    call = f"write_sample(Path({str(tmp_path)!r}), 'simulated', 'train', {COUNT}, {WIDTH}, {HEIGHT}, {SEED})"
    code = f"from pathlib import Path; from tasks.sample import write_sample; {call}"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(written) == COUNT * 4
    assert all(digest(p) == digest(root / p.relative_to(tmp_path)) for p in written)


@pytest.mark.parametrize("side", ["simulated", "real"])
def test_other_sizes(tmp_path: Path, side: Side) -> None:
    write_sample(tmp_path, side, "train", 1, 640, 480)
    sample = table_of(tmp_path, side)[0]
    assert (sample.width, sample.height) == (640, 480)


def test_a_larger_sample_begins_with_the_smaller_one(root: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, "real", "train", 1, WIDTH, HEIGHT, SEED)
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        assert digest(path) == digest(root / path.relative_to(tmp_path))


def test_no_two_splits_sides_or_seeds_share_a_street(root: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "val", "real", "val", COUNT, WIDTH, HEIGHT, SEED)
    write_sample(tmp_path / "seed", "real", "train", COUNT, WIDTH, HEIGHT, SEED + 1)
    masks = [p for place in (root, tmp_path) for p in place.rglob("*_gtFine_labelIds.png")]
    assert len({digest(p) for p in masks}) == 3 * COUNT
    scenes = {draw_scene(generator(side, n)) for side in ("simulated", "real") for n in range(20)}
    assert len(scenes) == 40


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_sides_look_different(root: Path) -> None:
    """Rendered surfaces are flat, photographed ones are not: neighbours within a class rarely have the same colour."""

    def flat_share(side: Side) -> float:
        images = [np.asarray(Image.open(s.image)).astype(int) for s in table_of(root, side)]
        return float(np.mean([(np.abs(np.diff(i, axis=1)).sum(axis=2) == 0).mean() for i in images]))

    assert flat_share("simulated") > 0.6
    assert flat_share("real") < 0.05


def test_every_class_of_the_world_is_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels: dict[str, int] = {}
    for _ in range(12):
        labels = labels_of(look_at(draw_scene(rng), WIDTH, HEIGHT))
        for name, count in zip(
            labels.names, np.bincount(labels.classes.ravel(), minlength=len(labels.names)), strict=True
        ):
            pixels[name] = pixels.get(name, 0) + int(count)
    share = {name: count / (12 * WIDTH * HEIGHT) for name, count in pixels.items()}
    expected = {"road", "sidewalk", "building", "vegetation", "sky", "pole", "traffic sign", "traffic light"}
    assert share.keys() == expected | {"car", "truck", "bus", "person"}
    assert min(share.values()) > 0.003
    assert all(share[name] > 0.02 for name in ("car", "truck", "bus"))


def test_drive_is_one_sequence_and_changes_no_other_street(tmp_path: Path) -> None:
    write_sample(tmp_path / "streets", "simulated", "train", 5, WIDTH, HEIGHT, SEED)
    write_sample(tmp_path / "drive", "simulated", "train", 5, WIDTH, HEIGHT, SEED, drive=3)
    streets, drive = (list(table_of(tmp_path / name, "simulated")) for name in ("streets", "drive"))
    assert [s.sequence == drive[0].sequence for s in drive] == [True, True, True, False, False]
    assert len({s.sequence for s in streets}) == 5
    same = [a.sha256 == b.sha256 for a, b in zip(streets, drive, strict=True)]
    assert same == [True, False, False, True, True]


def test_drive_moves_forward() -> None:
    scene = draw_scene(np.random.default_rng(3))
    later = advance(scene, 4.0)
    styles = {t.style: t for t in later.things}
    for thing in scene.things:
        moved = styles.get(thing.style)
        if thing.kind in VEHICLES and not thing.toward:
            assert moved == thing
        elif moved is not None:
            assert moved.z == pytest.approx(thing.z - (8.0 if thing.kind in VEHICLES else 4.0))
        else:
            assert thing.kind in VEHICLES or thing.z + thing.length <= 5.0
    assert advance(scene, 500.0).crosswalk is None

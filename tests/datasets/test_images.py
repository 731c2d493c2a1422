"""Decoding images and labels: exact, upright, or rejected."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import ImageError
from tasks.datasets.export import export_table
from tasks.datasets.images import PixelError, read_image, read_label
from tasks.datasets.read import read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml")
ORIENTATION = 0x0112
# What makes a stored image upright, by EXIF's orientation: its row 0 and column 0 are displayed at (EXIF 2.3, 4.6.4 A)
# 1 top left, 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def pixels(height: int = 6, width: int = 9) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def save_turned(path: Path, array: np.ndarray[Any, Any], orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(array).save(path, exif=exif)


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_an_image_is_read_as_it_is_displayed(tmp_path: Path, orientation: int) -> None:
    array = pixels()
    save_turned(tmp_path / "a.png", array, orientation)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), UPRIGHT[orientation](array))


@pytest.mark.parametrize("format_", ["coco", "yolo"])
def test_boxes_of_a_turned_photograph_and_its_export(tmp_path: Path, format_: Any) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[:32, :48] = 255  # displayed at the right top
    save_turned(tmp_path / "images" / "a.jpg", stored, 6)
    (tmp_path / "labels" / "a.txt").write_text("0 0.75 0.25 0.5 0.5\n")
    config = FolderDataset(
        format="folder",
        name="camvid",
        root=tmp_path,
        image_folder="images",
        mask_folder=None,
        boxes="labels",
        yolo_names=("car",),
    )
    table = read_dataset(config, TAXONOMY).table
    assert [(s.width, s.height, s.boxes) for s in table] == [(64, 96, (Box(0, 32, 0, 64, 48),))]
    assert read_image(table[0].image)[4:44, 36:60].min() > 240
    export_table(table, tmp_path / "out", format_)
    files = [p for p in (tmp_path / "out").rglob("a.*") if p.suffix != ".txt"]
    assert [p.name for p in files] == ["a.png"]
    assert ORIENTATION not in Image.open(files[0]).getexif()
    np.testing.assert_array_equal(read_image(files[0]), read_image(table[0].image))


@pytest.mark.parametrize("values", [np.arange(4096).reshape(64, 64), np.full((8, 8), 300)])
def test_a_grey_image_of_12_bits_is_rejected(tmp_path: Path, values: np.ndarray[Any, Any]) -> None:
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(PixelError, match="more than 8 bits a channel"):
        read_image(tmp_path / "a.png")


def test_an_image_of_16_bits_that_hold_8_is_exact(tmp_path: Path) -> None:
    array = pixels()
    cv2.imwrite(str(tmp_path / "a.png"), array[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), array)


def test_an_image_of_cmyk_is_rejected(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(PixelError, match="its colours are CMYK"):
        read_image(tmp_path / "a.jpg")


def test_a_label_of_16_bits_and_three_channels_keeps_its_ids(tmp_path: Path) -> None:
    ids = np.arange(12).reshape(3, 4) % 4 * 100
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([ids * 3, ids * 2, ids]).astype(np.uint16))  # BGR
    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), np.dstack([ids, ids * 2, ids * 3]))


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.gif"])
def test_a_label_of_a_lossy_format_is_rejected(tmp_path: Path, name: str) -> None:
    Image.fromarray(pixels()[..., 0]).save(tmp_path / name)
    with pytest.raises(ImageError, match=r"with loss.*save it as PNG"):
        read_label(tmp_path / name)


def test_a_label_of_a_lossless_webp_is_read(tmp_path: Path) -> None:
    Image.fromarray(pixels()).save(tmp_path / "a.webp", lossless=True, exact=True)
    np.testing.assert_array_equal(read_label(tmp_path / "a.webp"), pixels())


@pytest.mark.parametrize("value", [-1, 65536 + 3])
def test_ids_that_would_wrap_are_rejected(tmp_path: Path, value: int) -> None:
    Image.fromarray(np.full((4, 4), value, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="no whole numbers from 0 to 65535"):
        read_label(tmp_path / "a.tif")


def test_ids_of_32_bits_and_floats_that_are_whole_are_read(tmp_path: Path) -> None:
    for dtype in (np.int32, np.float32):
        Image.fromarray(np.full((4, 4), 26001, dtype)).save(tmp_path / "a.tif")
        assert (read_label(tmp_path / "a.tif") == 26001).all()
    Image.fromarray(np.full((4, 4), 2.5, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="no whole numbers"):
        read_label(tmp_path / "a.tif")


def test_a_label_of_cmyk_is_rejected(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="colours are CMYK"):
        read_label(tmp_path / "a.tif")

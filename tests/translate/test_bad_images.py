"""Images that are not 8-bit RGB: converted where that is exact, else rejected by name; and files that went away."""

import re
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.datasets.images import ImageError, PixelError, read_image
from tasks.datasets.table import SampleTable
from tasks.store.digest import file_sha256
from tasks.translate.apply import translate_table
from tasks.translate.methods.identity import IdentityTranslator
from tasks.translate.pixels import is_whole_png

SIZE = (6, 5)  # height, width
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
GREY = RGB[..., 0]
GREY_AS_RGB = np.stack([GREY] * 3, 2)
OPAQUE = np.full(SIZE, 255, np.uint8)
TRANSPARENT = RNG.integers(0, 256, SIZE).astype(np.uint8)


def _png16(path: Path, channels: np.ndarray, kind: int, key: bytes = b"") -> Path:
    """Write ``uint16 [H, W, C]`` as a PNG of colour type ``kind``; no library at hand writes all of them.

    ``key`` is the colour that is transparent.
    """
    height, width = channels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    chunks = (
        chunk(b"IHDR", header)
        + (chunk(b"tRNS", key) if key else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def _deep(*planes: np.ndarray) -> np.ndarray:
    return np.dstack(planes).astype(np.uint16) * 257


def _palette() -> tuple[Image.Image, np.ndarray]:
    colours = np.unique(RGB.reshape(-1, 3), axis=0)[:8]
    indices = RNG.integers(0, 8, SIZE).astype(np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette(colours.tobytes())
    return image, colours[indices]


def _save(path: Path, array: np.ndarray, mode: str | None = None, **options: object) -> Path:
    Image.fromarray(array, mode).save(path, **options)
    return path


def test_what_is_exact_is_converted(tmp_path) -> None:
    palette, looked_up = _palette()
    palette.save(tmp_path / "palette.png")
    bilevel = Image.fromarray(GREY).convert("1")
    bilevel.save(tmp_path / "bilevel.png")
    expected = {
        _save(tmp_path / "grey.png", GREY): GREY_AS_RGB,
        _save(tmp_path / "grey_alpha.png", np.dstack([GREY, OPAQUE]), "LA"): GREY_AS_RGB,
        _save(tmp_path / "alpha.png", np.dstack([RGB, OPAQUE])): RGB,
        _save(tmp_path / "alpha.tiff", np.dstack([RGB, OPAQUE])): RGB,
        _save(tmp_path / "no_alpha.png", np.dstack([RGB, np.zeros(SIZE, np.uint8)])): RGB,  # as simulators save it
        tmp_path / "palette.png": looked_up,
        tmp_path / "bilevel.png": np.stack([np.asarray(bilevel).astype(np.uint8) * 255] * 3, 2),
        _png16(tmp_path / "deep_grey.png", _deep(GREY), 0): GREY_AS_RGB,
        _png16(tmp_path / "deep.png", _deep(RGB), 2): RGB,
        _png16(tmp_path / "deep_grey_alpha.png", _deep(GREY, OPAQUE), 4): GREY_AS_RGB,
        _png16(tmp_path / "deep_alpha.png", _deep(RGB, OPAQUE), 6): RGB,
    }
    for path, pixels in expected.items():
        found = read_image(path)
        assert found.dtype == np.uint8, path.name
        assert np.array_equal(found, pixels), path.name


def test_transparent_pixels_are_an_error(tmp_path) -> None:
    palette, _ = _palette()
    palette.save(tmp_path / "palette.png", transparency=3)
    paths = [
        tmp_path / "palette.png",
        _save(tmp_path / "alpha.png", np.dstack([RGB, TRANSPARENT])),
        _save(tmp_path / "grey_alpha.png", np.dstack([GREY, TRANSPARENT]), "LA"),
        _save(tmp_path / "key.png", RGB, transparency=tuple(RGB[0, 0].tolist())),
        _png16(tmp_path / "deep_key.png", _deep(RGB), 2, key=bytes(6)),
        _png16(tmp_path / "deep_alpha.png", _deep(RGB, TRANSPARENT), 6),
        _png16(tmp_path / "deep_grey_alpha.png", _deep(GREY, TRANSPARENT), 4),
    ]
    for path in paths:
        with pytest.raises(PixelError, match=rf"{path.name}: has transparent pixels.*remove its alpha first"):
            read_image(path)


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr"])
def test_other_colours_are_an_error(tmp_path, mode) -> None:
    kind = "jpg" if mode == "CMYK" else "tiff"
    path = tmp_path / f"other.{kind}"
    Image.fromarray(RNG.integers(0, 256, (*SIZE, 4 if mode == "CMYK" else 3)).astype(np.uint8), mode).save(path)
    with pytest.raises(PixelError, match=rf"other.{kind}: its colours are {mode}.*convert it to an 8-bit RGB"):
        read_image(path)


def test_true_16_bits_are_an_error(tmp_path) -> None:
    true = RNG.integers(0, 65536, (*SIZE, 4)).astype(np.uint16)
    paths = [_png16(tmp_path / f"{kind}.png", true[..., :n], kind) for kind, n in ((0, 1), (2, 3), (4, 2), (6, 4))]
    paths.append(tmp_path / "grey.tiff")
    assert cv2.imwrite(str(paths[-1]), true[..., 0])
    paths.append(_save(tmp_path / "float.tiff", true[..., 0].astype(np.float32)))
    for path in paths:
        with pytest.raises(PixelError, match=rf"{path.name}: more than 8 bits a channel: convert it"):
            read_image(path)


def test_what_is_no_image_is_named(tmp_path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(ImageError, match=r"x\.png"):
        read_image(tmp_path / "x.png")
    (tmp_path / "short.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ImageError, match=r"short\.png"):
        read_image(tmp_path / "short.png")
    Image.new("RGB", (50, 50)).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:400])
    with pytest.raises(ImageError, match=r"cut.jpg"):
        read_image(tmp_path / "cut.jpg")
    with pytest.raises(ImageError, match=r"none.png: no such file"):
        read_image(tmp_path / "none.png")


def _translate(table: SampleTable, out: Path) -> int:
    out.mkdir(exist_ok=True)
    return translate_table(table, IdentityTranslator(), out, "identity")


def _same_size(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((36, 40, 3), np.uint8))


@pytest.mark.parametrize(
    ("damage", "reason"), [(Path.unlink, "no such file"), (_same_size, "has changed since the data set was read")]
)
def test_sources_that_went_away_or_changed_are_named(make_table, tmp_path, damage, reason) -> None:
    table = make_table("s", 3)
    damage(table[1].image)
    with pytest.raises(ImageError, match=rf"s1\.png: {reason}"):
        _translate(table, tmp_path / "out")
    assert not (tmp_path / "out/samples.parquet").exists()


def test_images_inside_an_archive(make_table, tmp_path) -> None:
    table = make_table("s", 5)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for sample in table:
            archive.write(sample.image, f"front/{sample.id}.png")
    packed = [replace(s, image=tmp_path / f"images.zip/front/{s.id}.png") for s in table]
    assert _translate(SampleTable.from_samples(packed, table.info, tmp_path), tmp_path / "out") == 5
    for before, after in zip(table, SampleTable.read(tmp_path / "out"), strict=True):
        assert np.array_equal(read_image(after.image), read_image(before.image))
    gone = [replace(packed[0], image=tmp_path / "images.zip/front/none.png")]
    with pytest.raises(ImageError, match=re.escape("images.zip/front/none.png: no such file")):
        _translate(SampleTable.from_samples(gone, table.info, tmp_path), tmp_path / "other")


@pytest.mark.parametrize("damage", ["truncated", "other size", "empty"])
def test_half_written_results_are_made_again(make_table, tmp_path, damage) -> None:
    table, path = make_table("s", 2), tmp_path / "out/images/s1.png"
    _translate(table, tmp_path / "out")
    whole = path.read_bytes()
    if damage == "other size":
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    else:
        path.write_bytes(whole[:-8] if damage == "truncated" else b"")
    assert not is_whole_png(path, 40, 36)
    assert _translate(table, tmp_path / "out") == 1
    assert path.read_bytes() == whole
    assert SampleTable.read(tmp_path / "out")[1].sha256 == file_sha256(path)

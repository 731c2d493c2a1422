from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tasks.datasets.images import ImageError, read_image
from tasks.datasets.table import SampleTable
from tasks.translate.apply import translate_table
from tasks.translate.methods.base import PerImage
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import MINIMUM, MULTIPLE, ResnetGenerator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.pixels import PixelError, is_whole_png, read_exact

SIZES = [(40, 36), (40, 36), (41, 37), (19, 22), (40, 36), (40, 36), (40, 36)]


class Invert(PerImage):
    """Inverts colours; fails at one image where told to."""

    def __init__(self, fails: str | None = None) -> None:
        self.fails = fails
        self.seen: list[str] = []

    def translate(self, image, sample_id):
        if sample_id == self.fails:
            raise RuntimeError("killed")
        self.seen.append(sample_id)
        return 255 - image


def _network(batch_pixels: int = 1) -> WholeImageTranslator:
    network = ResnetGenerator(4, 1)
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"))
    translator.batch_pixels = batch_pixels
    return translator


def test_labels_are_untouched_and_sizes_exact(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    out = tmp_path / "out"
    out.mkdir()
    assert translate_table(table, _network(), out, "net") == len(SIZES)
    result = SampleTable.read(out)
    assert result.info == table.info
    assert result.rows["image"].to_pylist() == [f"images/s{k}.png" for k in range(len(SIZES))]
    for before, after in zip(table, result, strict=True):
        assert read_image(after.image).shape == (before.height, before.width, 3)
        assert after.mask == before.mask
        assert after.mask.is_absolute()
        for name in ("id", "boxes", "split", "extra", "width", "height", "mask_sha256"):
            assert getattr(after, name) == getattr(before, name)
        assert after.sha256 != before.sha256
        assert not np.array_equal(read_image(after.image), read_image(before.image))


def test_killed_translation_goes_on_where_it_was(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(RuntimeError, match="killed"):
        translate_table(table, Invert(fails="s4"), out, "invert")
    done = {p: p.stat().st_mtime_ns for p in (out / "images").glob("*.png")}
    assert 0 < len(done) < len(SIZES)
    again = Invert()
    assert translate_table(table, again, out, "invert") == len(SIZES) - len(done)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert sorted(again.seen) == sorted({s.id for s in table} - {p.stem for p in done})
    for before, after in zip(table, SampleTable.read(out), strict=True):
        assert np.array_equal(read_image(after.image), 255 - read_image(before.image))


@pytest.mark.parametrize("damage", ["truncated", "other size", "empty"])
def test_damaged_leftovers_are_made_again(make_table, tmp_path, damage) -> None:
    table, out = make_table("s", 2), tmp_path / "out"
    out.mkdir()
    translate_table(table, Invert(), out, "invert")
    path = out / "images/s1.png"
    whole = path.read_bytes()
    if damage == "other size":
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    else:
        path.write_bytes(whole[:-8] if damage == "truncated" else b"")
    assert not is_whole_png(path, 40, 36)
    assert translate_table(table, Invert(), out, "invert") == 1
    assert path.read_bytes() == whole


def test_resumed_batches_give_the_same_pixels(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    for name in ("whole", "resumed"):
        (tmp_path / name).mkdir()
        translate_table(table, _network(4 * 40 * 36), tmp_path / name, "net")
    (tmp_path / "resumed/images/s5.png").unlink()
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "resumed/images").iterdir()}
    assert translate_table(table, _network(4 * 40 * 36), tmp_path / "resumed", "net") == 1
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    for name in ("samples.parquet", *(f"images/s{k}.png" for k in range(len(SIZES)))):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "resumed" / name).read_bytes(), name


def test_small_and_changed_images_are_named(make_table, tmp_path) -> None:
    small = make_table("small", 1, (12, 40))
    with pytest.raises(PixelError, match=r"small0.png: 12x40 is too small: the network needs 16"):
        translate_table(small, _network(), tmp_path, "net")
    changed = make_table("changed", 1)
    cv2.imwrite(str(changed[0].image), np.zeros((30, 30, 3), np.uint8))
    with pytest.raises(PixelError, match=r"changed0.png: 30x30, but its row in the table says 40x36"):
        translate_table(changed, _network(), tmp_path, "net")


def _write(path: Path, array: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), array)
    return path


def test_what_is_exact_is_converted(tmp_path) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (6, 5, 3)).astype(np.uint8)
    grey = rgb[..., 0]
    assert np.array_equal(read_exact(_write(tmp_path / "grey.png", grey)), np.stack([grey] * 3, 2))
    alpha = np.dstack([rgb[..., ::-1], grey])
    assert np.array_equal(read_exact(_write(tmp_path / "alpha.png", alpha)), rgb)
    for name, deep, expected in (("c", rgb[..., ::-1], rgb), ("g", grey, np.stack([grey] * 3, 2)), ("a", alpha, rgb)):
        path = _write(tmp_path / f"deep_{name}.png", deep.astype(np.uint16) * 257)
        assert np.array_equal(read_exact(path), expected), name


@pytest.mark.parametrize("channels", [1, 3])
def test_true_16_bits_are_an_error(tmp_path, channels) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (6, 5, channels)).astype(np.uint16)
    for suffix in ("png", "tiff"):
        path = _write(tmp_path / f"deep.{suffix}", deep)
        if suffix == "tiff" and channels == 3:
            continue  # PIL does not open it: covered by the test of files that cannot be decoded
        with pytest.raises(PixelError, match=rf"deep.{suffix}: more than 8 bits a channel"):
            read_exact(path)


def test_what_is_no_image_is_named(tmp_path) -> None:
    (tmp_path / "x.png").write_bytes(b"nothing")
    with pytest.raises(ImageError, match=r"x\.png"):
        read_exact(tmp_path / "x.png")
    Image.new("RGB", (50, 50)).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:400])
    with pytest.raises(ImageError, match=r"cut.jpg"):
        read_exact(tmp_path / "cut.jpg")
    with pytest.raises(ImageError, match=r"none.png: no such file"):
        read_exact(tmp_path / "none.png")

"""Packing: sizes, losses, animation; and the pictures as files."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.errors import ImageError
from tasks.datasets.pages import Packed
from tasks.report.gallery import pictures
from tasks.report.gallery.files import save_pictures, save_png
from tasks.report.gallery.grid import Grid, GridRow, LegendEntry, Picture
from tasks.report.gallery.pictures import pack
from tasks.report.model import Report
from tests.report.gallery.conftest import World

NOISE = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
FRAMES = np.random.default_rng(1).integers(0, 256, (5, 90, 240, 3), np.uint8)


def opened(packed: Packed) -> Image.Image:
    assert packed.uri is not None
    image = Image.open(io.BytesIO(base64.b64decode(packed.uri.split(",")[1])))
    assert image.size == (packed.width, packed.height)
    return image


def test_sharp_pixels_are_kept_to_the_last_bit() -> None:
    picture = Picture(caption="x", pixels=NOISE, sharp=True)
    assert np.array_equal(np.asarray(opened(pack(picture, (), 480)).convert("RGB")), NOISE)
    assert not np.array_equal(
        np.asarray(opened(pack(Picture(caption="x", pixels=NOISE), (), 480)).convert("RGB")), NOISE
    )


@pytest.mark.parametrize("sharp", [True, False])
def test_drawn_pictures_are_scaled_down(sharp: bool) -> None:
    packed = pack(Picture(caption="x", pixels=NOISE, sharp=sharp), (), 60)
    assert (packed.width, packed.height) == (60, 45)


def test_a_label_of_another_size_than_its_image_is_not_shown(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 6), np.uint8)).save(tmp_path / "label.png")
    assert pack(Picture(caption="x", label=tmp_path / "label.png", size=(6, 4)), (), 480).uri
    assert "6x4" in pack(Picture(caption="x", label=tmp_path / "label.png", size=(12, 8)), (), 480).missing


def test_a_clip_is_animated_at_its_rate() -> None:
    image = opened(pack(Picture(caption="x", frames=FRAMES, rate=4), (), 480))
    assert (image.n_frames, image.info["loop"]) == (5, 0)  # type: ignore[attr-defined]
    image.seek(1)
    image.load()
    assert image.info["duration"] == 250


@pytest.mark.parametrize("drawn", [{"frames": FRAMES}, {"pixels": FRAMES[0]}])
def test_pictures_take_their_share_of_the_width(drawn: dict[str, np.ndarray]) -> None:
    assert pack(Picture(caption="x", **drawn, scale=2), (), 480).width == 240
    assert pack(Picture(caption="x", **drawn, scale=2), (), 100).width == 200
    assert pack(Picture(caption="x", **drawn, scale=0.5), (), 100).width == 50


def test_a_clip_that_is_too_large_becomes_coarser_and_then_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pack(Picture(caption="x", frames=FRAMES), (), 480)
    monkeypatch.setattr(pictures, "CLIP_BYTES", len(whole.uri or "") * 3 // 4 - 2000)
    coarser = pack(Picture(caption="x", frames=FRAMES), (), 480)
    assert coarser.width == whole.width
    assert len(coarser.uri or "") < len(whole.uri or "")
    monkeypatch.setattr(pictures, "CLIP_BYTES", 30_000)
    assert pack(Picture(caption="x", frames=FRAMES), (), 480).width < whole.width
    monkeypatch.setattr(pictures, "CLIP_BYTES", 10)
    assert pack(Picture(caption="x", frames=FRAMES), (), 480).uri  # as small as it gets


def test_a_placeholder_says_why() -> None:
    assert pack(Picture(caption="x", missing="it was lost"), (), 480) == Packed(None, missing="it was lost")
    assert pack(Picture(caption="x"), (), 480).missing == "no picture"


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n", None])
@pytest.mark.parametrize("kind", ["image", "label"])
def test_a_file_that_cannot_be_shown_is_named_without_its_place(
    tmp_path: Path, content: bytes | None, kind: str
) -> None:
    path = tmp_path / "secret" / "street.png"
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    packed = pack(Picture.model_validate({"caption": "x", kind: path}), (), 480)
    assert packed.uri is None
    assert packed.missing.startswith("street.png: ")
    assert "secret" not in packed.missing


def test_pictures_are_not_in_the_schema_nor_in_the_json() -> None:
    Report.model_json_schema()
    properties = Picture.model_json_schema()["properties"]
    assert set(properties) == {"caption", "missing"}
    picture = Picture(caption="x", pixels=NOISE, frames=FRAMES, image=Path("/a/b"), sharp=True, rate=2)
    assert picture.model_dump(mode="json") == {"caption": "x", "missing": None}


def test_saved_pictures_are_those_that_are_drawn(world: Callable[..., World], tmp_path: Path) -> None:
    grids, _ = world().drawn()
    names = save_pictures(grids, tmp_path / "figures")
    assert sorted(names) == sorted(p.name for p in (tmp_path / "figures").iterdir())
    kinds = {name.split("-")[0].split(".")[0] for name in names}
    assert kinds == {"datasets", "nearest", "flips", "lost", "clip"}
    assert {"datasets-Tree-1.png", "flips-cut-2-4.png", "lost-cut-SignSymbol-1-2.png", "clip-drive.webp"} <= set(names)
    assert Image.open(tmp_path / "figures/clip-drive.webp").is_animated  # type: ignore[attr-defined]
    for name in names:
        Image.open(tmp_path / "figures" / name).load()


def test_names_of_files_are_safe_and_one_each(tmp_path: Path) -> None:
    picture = Picture(caption="x", pixels=NOISE)
    evil = ["../../etc/passwd", "<script>", ".hidden", "변환", "변환 2", "CON", "con", "a" * 300, "a" * 300 + "b"]
    rows = tuple(GridRow(id=name, pictures=(picture, picture)) for name in evil)
    grid = Grid(kind="lost", translator="../x", title="", note="", columns=("a", "b"), rows=rows)
    names = save_pictures([grid], tmp_path / "in/figures")
    assert len({n.casefold() for n in names}) == 2 * len(evil)
    assert sorted(names) == sorted(p.name for p in (tmp_path / "in/figures").iterdir())
    assert all(n.isascii() and "/" not in n and not n.startswith(".") and len(n) < 120 for n in names)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_what_cannot_be_read_is_not_saved(tmp_path: Path) -> None:
    rows = (
        GridRow(
            id="1", pictures=(Picture(caption="x", image=tmp_path / "none.png"), Picture(caption="x", pixels=NOISE))
        ),
    )
    grid = Grid(kind="nearest", title="", note="", columns=("a", "b"), rows=rows)
    assert save_pictures([grid], tmp_path / "figures") == ["nearest-1-2.png"]
    with pytest.raises(ImageError, match="lost"):
        save_png(Picture(caption="x", missing="lost"), (), tmp_path / "x.png")


def test_labels_are_saved_in_their_colours(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 6), np.uint8)).save(tmp_path / "label.png")
    legend = [LegendEntry(name="a", color=(0, 0, 0)), LegendEntry(name="b", color=(10, 200, 30))]
    save_png(Picture(caption="x", label=tmp_path / "label.png"), legend, tmp_path / "drawn.png")
    assert np.asarray(Image.open(tmp_path / "drawn.png"))[0, 0].tolist() == [10, 200, 30]

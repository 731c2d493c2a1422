"""Writes SHIFT: as unpacked folders, with a frame rate, and as zip archives."""

from __future__ import annotations

import functools
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tasks.datasets.config import ShiftDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

# CARLA's tags of 0.9.10 - 0.9.13 in the order of CLASSES: SHIFT has one for all vehicles, and none for riders.
TAGS = np.array([7, 8, 1, 11, 2, 5, 18, 12, 9, 22, 13, 4, 0, 10, 10, 10, 10, 10, 10], np.uint8)
_CATEGORIES = {"person": "pedestrian", "car": "car", "truck": "truck", "bus": "bus"}


def encoded(pixels: np.ndarray[Any, Any], suffix: str) -> bytes:
    """An image file's content."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, suffix)
    return stream.getvalue()


def tagged(frame: Frame) -> np.ndarray[Any, Any]:
    """The mask's RGB: the tag in the first channel, anything in the others."""
    return np.dstack([TAGS[frame.classes], frame.objects % 256, np.full_like(frame.classes, 3)]).astype(np.uint8)


def listed(frame: Frame, sequence: str, name: str) -> dict[str, Any]:
    """A frame of det_2d.json; x2 and y2 lie inside the box."""
    boxes = [
        {
            "id": str(t.number),
            "category": _CATEGORIES[t.name],
            "box2d": {"x1": t.x1, "y1": t.y1, "x2": t.x2 - 1, "y2": t.y2 - 1},
            "box3d": None,
        }
        for t in frame.things
    ]
    attributes = {"weather_coarse": "rainy", "timeofday_coarse": "night", "town": "Town10HD"}
    return {"name": name, "videoName": sequence, "frameIndex": 0, "attributes": attributes, "labels": boxes or None}


def put(place: Path, name: str, content: bytes) -> Path:
    """Write a file into a folder, or replace it in a zip archive; returns its path."""
    if place.suffix != ".zip":
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
        return place / name
    place.parent.mkdir(parents=True, exist_ok=True)
    members = {}
    if place.is_file():
        with zipfile.ZipFile(place) as old:
            members = {n: old.read(n) for n in old.namelist()}
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in (members | {name: content}).items():
            archive.writestr(member, data)
    return place / name


def write(root: Path, frames: list[Frame], view: str, suffix: str = "") -> Written:
    """Write frames as two sequences into the view's folder below root, which has ``suffix`` at img and semseg."""
    folder, files, rows = root / view, [], []
    for frame in frames:
        sequence, number = f"00{frame.number % 2}c-a4f0", f"{10 * frame.number:08d}"
        name = f"{number}_img_front.jpg"
        image = put(folder / f"img{suffix}", f"{sequence}/{name}", encoded(frame.image, "jpeg"))
        mask = put(folder / f"semseg{suffix}", f"{sequence}/{number}_semseg_front.png", encoded(tagged(frame), "png"))
        rows.append(listed(frame, sequence, name))
        files.append(Files(f"{sequence}__{number}", image, mask, folder / "det_2d.json"))
    (folder / "det_2d.json").write_text(json.dumps({"frames": rows, "config": None}))
    odd = None if suffix else folder / "img" / "00ff-a4f0" / "0001_img_front.jpg"
    return Written(tuple(files), folder / "det_2d.json", odd)


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    place = files.mask.parents[1]
    content = (
        zipfile.ZipFile(place).read("/".join(files.mask.parts[-2:])) if place.is_file() else files.mask.read_bytes()
    )
    pixels = np.asarray(Image.open(io.BytesIO(content))).copy()
    pixels[:2, :3, 0] = 99
    put(place, "/".join(files.mask.parts[-2:]), encoded(pixels, "png"))


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    content = json.loads(files.labels.read_text())
    row = next(r for r in content["frames"] if r["videoName"] + "__" + r["name"][:8] == files.id)
    row["labels"][0]["box2d"] = {"x1": 3, "y1": 4, "x2": "wide", "y2": 9}
    files.labels.write_text(json.dumps(content))


def _format(name: str, view: str, suffix: str = "", **options: Any) -> Format:
    return Format(
        f"shift {name}",
        functools.partial(write, view=view, suffix=suffix),
        lambda root: ShiftDataset(format="shift", root=root, **options),
        stuff=CLASSES[:11],
        things=["person", "car"],
        spoil_mask=spoil_mask,
        spoil_box=spoil_box,
        sequences=True,
        folder=None if suffix else lambda root: root / view / "img",
    )


FORMATS = [
    _format("folder", "discrete/images/train/front"),
    _format("rate", "continuous/videos/10x/train/front", kind="continuous", media="videos"),
    _format("zip", "discrete/images/train/front", ".zip"),
]

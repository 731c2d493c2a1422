"""Writes BDD100K: with both kinds of labels, or with one of them."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from tasks.datasets.config import Bdd100kDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

NAMES = {"person": "pedestrian"}  # the others have their own
FILE = "labels/det_20/det_train.json"
Kind = Literal["boxes", "masks"]


def row(frame: Frame, name: str) -> dict[str, Any]:
    """A frame's row of the file of boxes, in which x2 and y2 lie inside the box."""
    boxes = [{"x1": t.x1, "y1": t.y1, "x2": t.x2 - 1, "y2": t.y2 - 1} for t in frame.things]
    labels = [
        {"id": str(t.number), "category": NAMES.get(t.name, t.name), "attributes": {"occluded": False}, "box2d": box}
        for t, box in zip(frame.things, boxes, strict=True)
    ]
    attributes = {"weather": "clear", "scene": "city street", "timeofday": "daytime"}
    return {"name": f"{name}.jpg", "attributes": attributes, "timestamp": 10000, "labels": labels}


def write(root: Path, frames: list[Frame], kinds: Collection[Kind]) -> Written:
    """An image with both kinds of labels lies in 100k."""
    boxes, masks = root / FILE, root / "labels" / "sem_seg" / "masks" / "train"
    images = root / "images" / ("100k" if "boxes" in kinds else "10k") / "train"
    for folder in (images, root / "images" / "10k" / "train", boxes.parent, masks):
        folder.mkdir(parents=True, exist_ok=True)
    files, rows = [], []
    for frame in frames:
        name = f"{frame.number:08x}-{frame.number:08x}"
        Image.fromarray(frame.image).save(images / f"{name}.jpg")
        if "masks" in kinds:
            Image.fromarray(frame.classes.copy()).save(masks / f"{name}.png")
        rows.append(row(frame, name))
        # One without its mask is still one with boxes: for the tests of masks that are wrong, see 'masks' alone.
        mask = masks / f"{name}.png" if set(kinds) == {"masks"} else None
        files.append(Files(name, images / f"{name}.jpg", mask, boxes if "boxes" in kinds else None))
    if "boxes" in kinds:
        boxes.write_text(json.dumps(rows))
    return Written(tuple(files), json=boxes if "boxes" in kinds else None, odd=images / "0a1b.png")


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    ids = np.asarray(Image.open(files.mask)).copy()
    ids[:2, :3] = 19
    Image.fromarray(ids).save(files.mask)


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    rows = json.loads(files.labels.read_text())
    next(r for r in rows if r["name"] == files.image.name)["labels"][0]["box2d"] = {"x1": 1, "y1": 2, "x2": 3}
    files.labels.write_text(json.dumps(rows))


def _format(kinds: tuple[Kind, ...]) -> Format:
    def config(root: Path) -> Bdd100kDataset:
        return Bdd100kDataset(format="bdd100k", root=root, labels=kinds)

    things = ("person", "car", "truck", "bus")
    return Format(
        f"bdd100k-{'-'.join(kinds)}",
        functools.partial(write, kinds=kinds),
        config,
        stuff=CLASSES if "masks" in kinds else (),
        things=things if "boxes" in kinds else (),
        spoil_mask=spoil_mask if kinds == ("masks",) else None,
        spoil_box=spoil_box if "boxes" in kinds else None,
        folder=lambda root: root / "images" / ("100k" if "boxes" in kinds else "10k") / "train",
    )


FORMATS = [_format(("boxes", "masks")), _format(("boxes",)), _format(("masks",))]

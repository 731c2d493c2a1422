"""Writes Cityscapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tasks.datasets.config import CityscapesDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

# The label ids of the 19 classes in the order of their train ids (cityscapesscripts, helpers/labels.py).
LABEL_IDS = np.array([7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33], np.uint8)


def write(root: Path, frames: list[Frame]) -> Written:
    files = []
    for frame in frames:
        name = f"ulm_{frame.number % 2:06d}_{frame.number:06d}"
        image = root / "leftImg8bit" / "train" / "ulm" / f"{name}_leftImg8bit.png"
        labels, instances = (
            root / "gtFine" / "train" / "ulm" / f"{name}_gtFine_{kind}.png" for kind in ("labelIds", "instanceIds")
        )
        ids = LABEL_IDS[frame.classes]
        for path in (image, labels):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.image).save(image)
        Image.fromarray(ids).save(labels)
        numbered = np.where(frame.objects > 0, ids.astype(np.uint16) * 1000 + frame.objects - 1, ids)
        Image.fromarray(numbered.astype(np.uint16)).save(instances)
        files.append(Files(name, image, labels, instances))
    return Written(tuple(files), odd=root / "leftImg8bit" / "train" / "ulm" / "holiday_leftImg8bit.png")


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    ids = np.asarray(Image.open(files.mask)).copy()
    ids[:2, :3] = 99
    Image.fromarray(ids).save(files.mask)


FORMAT = Format(
    "cityscapes",
    write,
    lambda root: CityscapesDataset(format="cityscapes", root=root),
    stuff=[c for c in CLASSES if c not in ("person", "car", "truck", "bus")],
    spoil_mask=spoil_mask,
    sequences=True,
    folder=lambda root: root / "leftImg8bit" / "train",
)

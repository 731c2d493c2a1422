"""Writes CamVid as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tasks.datasets.config import CamvidDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

# A colour of label_colors.txt for each of the classes that the set has.
COLORS = {
    "road": (128, 64, 128),
    "sidewalk": (0, 0, 192),
    "building": (128, 0, 0),
    "wall": (64, 192, 0),
    "fence": (64, 64, 128),
    "pole": (192, 192, 128),
    "traffic light": (0, 64, 64),
    "traffic sign": (192, 128, 128),
    "vegetation": (128, 128, 0),
    "sky": (128, 128, 128),
    "person": (64, 64, 0),
    "car": (64, 0, 128),
    "train": (192, 64, 128),
}
THINGS = ("person", "car")
STUFF = [name for name in COLORS if name not in THINGS]


def write(root: Path, frames: list[Frame]) -> Written:
    images, masks = root / "701_StillsRaw_full", root / "LabeledApproved_full"
    files = []
    for frame in frames:
        name = f"{('0001TP', 'Seq05VD')[frame.number % 2]}_{'f' * (frame.number % 2)}{frame.number:05d}"
        image, mask = images / f"{name}.png", masks / f"{name}_L.png"
        for path in (image, mask):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.image).save(image)
        write_colors(mask, frame)
        files.append(Files(name, image, mask))
    return Written(tuple(files), odd=images / "holiday.png")


def write_colors(path: Path, frame: Frame) -> None:
    """Write the classes of a frame in CamVid's colours."""
    table = np.array([COLORS.get(name, (0, 0, 0)) for name in CLASSES], np.uint8)
    Image.fromarray(table[frame.classes]).save(path)


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    colors = np.asarray(Image.open(files.mask)).copy()
    colors[:2, :3] = (1, 2, 3)
    Image.fromarray(colors).save(files.mask)


FORMAT = Format(
    "camvid",
    write,
    lambda root: CamvidDataset(format="camvid", root=root),
    stuff=STUFF,
    things=THINGS,
    spoil_mask=spoil_mask,
    sequences=True,
    folder=lambda root: root / "701_StillsRaw_full",
)

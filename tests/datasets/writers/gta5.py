"""Writes GTA5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.datasets.config import Gta5Dataset
from tests.datasets.writers.cityscapes import LABEL_IDS
from tests.datasets.writers.scene import CLASSES, TAXONOMY, Files, Format, Frame, Written

_PALETTE = np.zeros((256, 3), np.uint8)  # Cityscapes' colours
_PALETTE[LABEL_IDS] = [c.color for c in TAXONOMY.classes]


def save_label(path: Path, ids: NDArray[np.uint8]) -> None:
    image = Image.fromarray(ids)
    image.putpalette(_PALETTE.tobytes())
    image.save(path)


def write(root: Path, frames: list[Frame]) -> Written:
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True, exist_ok=True)
    files = []
    for frame in frames:
        name = f"{frame.number + 1:05d}"
        image, label = root / "images" / f"{name}.png", root / "labels" / f"{name}.png"
        Image.fromarray(frame.image).save(image)
        save_label(label, LABEL_IDS[frame.classes])
        files.append(Files(name, image, label))
    return Written(tuple(files), odd=root / "images" / "night.png")


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    ids = np.asarray(Image.open(files.mask)).copy()
    ids[:2, :3] = 99
    save_label(files.mask, ids)


FORMAT = Format(
    "gta5",
    write,
    lambda root: Gta5Dataset(format="gta5", root=root),
    stuff=[c for c in CLASSES if c not in ("person", "car", "truck", "bus")],
    spoil_mask=spoil_mask,
    folder=lambda root: root / "images",
)

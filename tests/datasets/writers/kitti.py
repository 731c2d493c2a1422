"""Writes KITTI: the semantics benchmark, and the object benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tasks.datasets.config import KittiDataset
from tests.datasets.writers.cityscapes import LABEL_IDS, spoil_mask
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

_TYPES = {"person": "Pedestrian", "car": "Car", "truck": "Truck"}
_MISC = "Misc 0.00 0 -1.57 4.00 3.00 20.00 9.00 1.5 1.6 3.9 1.8 1.5 8.4 0.01\n"  # of no detection class


def write_semantic(root: Path, frames: list[Frame]) -> Written:
    training = root / "training"
    files = []
    for frame in frames:
        name = f"{frame.number:06d}_10"
        image, labels, instances = (training / f / f"{name}.png" for f in ("image_2", "semantic", "instance"))
        for path in (image, labels, instances):
            path.parent.mkdir(parents=True, exist_ok=True)
        ids = LABEL_IDS[frame.classes]
        Image.fromarray(frame.image).save(image)
        Image.fromarray(ids).save(labels)
        Image.fromarray(ids.astype(np.uint16) * 256 + frame.objects).save(instances)
        files.append(Files(name, image, labels, instances))
    return Written(tuple(files), odd=training / "image_2" / "holiday.png")


def write_object(root: Path, frames: list[Frame]) -> Written:
    training = root / "training"
    files = []
    for frame in frames:
        name = f"{frame.number:06d}"
        image, labels = training / "image_2" / f"{name}.png", training / "label_2" / f"{name}.txt"
        for path in (image, labels):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.image).save(image)
        rows = [
            f"{_TYPES[t.name]} 0.00 0 -1.57 {t.x1:.2f} {t.y1:.2f} {t.x2:.2f} {t.y2:.2f} 1.5 1.6 3.9 1.8 1.5 8.4 0.01\n"
            for t in frame.things
        ]
        labels.write_text("".join([*rows, _MISC]))
        files.append(Files(name, image, None, labels))
    return Written(tuple(files), odd=training / "image_2" / "holiday.png")


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    first, *rest = files.labels.read_text().splitlines()
    files.labels.write_text("\n".join([first.rsplit(" ", 1)[0], *rest]))


FORMATS = [
    Format(
        "kitti-semantic",
        write_semantic,
        lambda root: KittiDataset(format="kitti", root=root),
        stuff=[c for c in CLASSES if c not in ("person", "car", "truck", "bus")],
        spoil_mask=spoil_mask,
        folder=lambda root: root / "training" / "image_2",
    ),
    Format(
        "kitti-object",
        write_object,
        lambda root: KittiDataset(format="kitti", root=root, labels="object"),
        stuff=(),
        things=tuple(_TYPES),
        spoil_box=spoil_box,
        folder=lambda root: root / "training" / "label_2",
    ),
]

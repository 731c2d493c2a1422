"""Writing the sample as files, in the format of a simulator or of a real data set."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.compute import with_progress
from tasks.sample.drive import advance
from tasks.sample.looks import photographed, simulated
from tasks.sample.scene import Thing, draw_scene
from tasks.sample.view import Labels, labels_of, look_at
from tasks.store import atomic_path, write_png

_COLORS = {  # MORAI SIM's semantic colours, as saved; trees, hedges and poles are its 'Standing OBJ'
    "sky": (0, 255, 255),
    "building": (203, 255, 124),
    "road": (187, 187, 187),
    "sidewalk": (255, 170, 96),
    "vegetation": (178, 218, 106),
    "pole": (178, 218, 106),
    "traffic light": (255, 147, 248),
    "traffic sign": (167, 120, 253),
    "car": (255, 133, 133),
    "truck": (255, 160, 160),
    "bus": (255, 172, 172),
    "person": (167, 22, 255),
}
_IDS = {  # Cityscapes' label ids
    "sky": 23,
    "building": 11,
    "road": 7,
    "sidewalk": 8,
    "vegetation": 21,
    "pole": 17,
    "traffic light": 19,
    "traffic sign": 20,
    "person": 24,
    "rider": 25,
    "car": 26,
    "truck": 27,
    "bus": 28,
    "bicycle": 33,
}
_START = datetime(2026, 3, 1, 9, 0, 0)  # the time of the first simulated image
_FRAME, _STREET = timedelta(seconds=0.4), timedelta(seconds=30)  # between frames of the drive; between streets
_METRES = 2.5  # between two frames of the drive
_ANNOTATED = 19  # which frame of a sequence Cityscapes has labels of: each street is a sequence of its own


def write_sample(
    root: Path,
    side: Literal["simulated", "real"],
    split: str,
    count: int,
    width: int,
    height: int,
    seed: int = 0,
    drive: int = 0,
) -> None:
    """Draw streets and write them with their labels.

    A street depends on seed, side, split and its number: no two splits and no two sides share one, and a larger
    ``count`` begins with the images of a smaller one. The frames of a drive are of the first street.

    Args:
        root: the data set's folder; ``simulated`` writes MORAI SIM's capture mode (``SensorData/CAMERA_1``), ``real``
            the layout of Cityscapes (``leftImg8bit/<split>``, ``gtFine/<split>``).
        side: whether the streets are rendered or photographed.
        split: the split's name.
        count: how many images.
        width, height: their size in pixels.
        seed: seed of the whole world.
        drive: how many of the first simulated images are frames of one drive; each other image is of its own street.
    """
    for number in with_progress(range(count), count, f"drawing the sample, {side} {split}"):
        frame = number if side == "simulated" and number < drive else 0
        _write(root, side, split, number, frame, width, height, seed)


def _write(root: Path, side: str, split: str, number: int, frame: int, width: int, height: int, seed: int) -> None:
    street = number - frame
    rng = np.random.default_rng([seed, zlib.crc32(side.encode()), zlib.crc32(split.encode()), street])
    view = look_at(advance(draw_scene(rng), _METRES * frame), width, height)
    labels = labels_of(view)
    if side == "simulated":
        time = (_START + street * _STREET + frame * _FRAME).strftime("%y-%m-%d-%H-%M-%S-%f")
        _write_morai(root / "SensorData" / "CAMERA_1" / time, simulated(view), labels, view.things)
    else:
        image, labels = photographed(view, labels, rng)
        _write_cityscapes(root, split, f"{split}_{number:06d}_{_ANNOTATED:06d}", image, labels)


def _write_morai(stem: Path, image: NDArray[np.uint8], labels: Labels, things: tuple[Thing, ...]) -> None:
    colors = np.array([_COLORS[name] for name in labels.names], np.uint8)
    numbers = np.arange(len(things) + 1, dtype=np.uint32) * np.uint32(2654435761)  # spreads the objects' colours
    codes = np.stack([numbers >> 8 & 255, numbers >> 16 & 255, numbers >> 24 & 255], axis=1).astype(np.uint8)
    write_png(stem.with_name(f"{stem.name}_Intensity.png"), image)
    write_png(stem.with_name(f"{stem.name}_Semantic.png"), colors[labels.classes])
    write_png(stem.with_name(f"{stem.name}_Instance.png"), codes[labels.objects])
    with atomic_path(stem.with_name(f"{stem.name}_Instance.txt")) as path:
        path.write_text("".join(_lines(labels, things)), encoding="utf-8")


def _lines(labels: Labels, things: tuple[Thing, ...]) -> list[str]:
    """A line for every object with a visible pixel, with the box of its visible pixels."""
    lines = []
    for number in np.unique(labels.objects[labels.objects > 0]).tolist():
        rows, columns = np.nonzero(labels.objects == number)
        thing = things[number - 1]
        kind = "Pedestrian" if thing.kind == "person" else "Vehicle"
        box = f"{columns.min()}.00 {rows.min()}.00 {columns.max() + 1}.00 {rows.max() + 1}.00"
        lines.append(f"{kind} 0 0 0 {box} 0 0 0 0 0 0 0 {thing.z:.4f} 0,0,0\n")
    return lines


def _write_cityscapes(root: Path, split: str, name: str, image: NDArray[np.uint8], labels: Labels) -> None:
    ids = np.array([_IDS[n] for n in labels.names], np.uint8)[labels.classes]
    instances = np.where(labels.objects > 0, ids.astype(np.uint16) * 1000 + labels.objects, ids).astype(np.uint16)
    truth = root / "gtFine" / split / split  # a split is a city: the same drive is never in two
    write_png(root / "leftImg8bit" / split / split / f"{name}_leftImg8bit.png", image)
    write_png(truth / f"{name}_gtFine_labelIds.png", ids)
    write_png(truth / f"{name}_gtFine_instanceIds.png", instances)

"""Writes MORAI SIM's recordings: capture mode in each palette, and plain saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.datasets.config import MoraiDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

Color = tuple[int, int, int]
_THINGS = ("person", "car", "truck", "bus")
SRGB: dict[str, Color] = {
    "road": (187, 187, 187),
    "sidewalk": (255, 170, 96),
    "building": (203, 255, 124),
    "traffic light": (255, 147, 248),
    "traffic sign": (167, 120, 253),
    "vegetation": (178, 218, 106),
    "sky": (0, 255, 255),
    "person": (167, 22, 255),
    "car": (255, 133, 133),
    "truck": (255, 160, 160),
    "bus": (255, 172, 172),
    "motorcycle": (229, 152, 152),
    "bicycle": (208, 110, 110),
}
LINEAR: dict[str, Color] = {
    "road": (127, 127, 127),
    "sidewalk": (255, 103, 30),
    "building": (152, 255, 51),
    "traffic light": (255, 74, 239),
    "traffic sign": (99, 48, 250),
    "vegetation": (114, 179, 37),
    "sky": (0, 255, 255),
    "person": (99, 2, 255),
    "car": (255, 60, 60),
    "truck": (255, 90, 90),
    "bus": (255, 105, 105),
    "motorcycle": (200, 80, 80),
    "bicycle": (160, 40, 40),
}
OTHER: dict[str, Color] = {  # the palette of 33 classes
    "road": (9, 161, 181),
    "sidewalk": (118, 78, 176),
    "fence": (247, 234, 110),
    "traffic light": (0, 233, 197),
    "traffic sign": (241, 90, 41),
    "person": (255, 0, 233),
    "car": (255, 90, 241),
    "truck": (0, 243, 64),
    "bus": (66, 7, 158),
}
START = datetime(2024, 5, 13, 9, 44, 0, 578446)


def name_of(time: datetime) -> str:
    return time.strftime("%y-%m-%d-%H-%M-%S-%f")


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    box = f"{x1:.2f} {y1:.2f} {x2:.2f} {y2:.2f}"
    return f"{kind} 0 0 0 {box} 0 0 0 0 0 0 0 166.5732 0.0005948656,-1.360331E-07,1.150531E-05\n"


def _lines(frame: Frame) -> str:
    kinds = {"person": "Pedestrian", "truck": "SurroundVehicle"}
    return "".join(line(kinds.get(t.name, "Vehicle"), t.x1, t.y1, t.x2, t.y2) for t in frame.things)


def _painted(frame: Frame, palette: dict[str, Color]) -> Image.Image:
    colors = np.array([palette.get(name, (0, 0, 0)) for name in CLASSES], np.uint8)
    return Image.fromarray(colors[frame.classes])


def _numbered(frame: Frame) -> Image.Image:
    numbers = frame.objects.astype(np.uint8) * 40
    return Image.fromarray(np.stack([numbers, 255 - numbers, numbers // 2], axis=-1))


@dataclass(frozen=True)
class Capture:
    """Writes capture mode."""

    palette: dict[str, Color]
    suffix: str = ".png"
    instances: bool = False
    field: str = ""  # what some versions' names have beyond the time

    def __call__(self, root: Path, frames: list[Frame]) -> Written:
        folder = root / "SaveFile" / "SensorData" / "CAMERA_1"
        folder.mkdir(parents=True)
        lidar = folder.parent / "LIDAR_1"
        lidar.mkdir()
        files = []
        for frame in frames:
            name = name_of(START + timedelta(seconds=frame.number)) + self.field
            image, mask, text = (
                folder / f"{name}_{kind}" for kind in (f"Intensity{self.suffix}", "Semantic.png", "Instance.txt")
            )
            Image.fromarray(frame.image).save(image)
            _painted(frame, self.palette).save(mask)
            if self.instances:
                _numbered(frame).save(folder / f"{name}_Instance.png")
            text.write_text(_lines(frame))
            (lidar / f"{name}_Instance.txt").write_text("0 1 2 3 4 5 6 7 8 9 10\n")
            files.append(Files(f"CAMERA_1__{name}", image, mask, text))
        return Written(tuple(files), odd=folder / "holiday_Intensity.png")


def write_plain(root: Path, frames: list[Frame]) -> Written:
    """Two cameras, of which the labels' is 8 ms late in every other frame."""
    images, labels = (root / "SensorData" / f"CAMERA_{n}" for n in (1, 2))
    for folder in (images, labels):
        folder.mkdir(parents=True)
    files = []
    for frame in frames:
        time = START + timedelta(seconds=frame.number)
        image = images / f"{name_of(time)}.png"
        mask = labels / f"{name_of(time + timedelta(milliseconds=frame.number % 2 * 8))}.png"
        Image.fromarray(frame.image).convert("RGBA").save(image)
        _painted(frame, SRGB).save(mask)
        mask.with_suffix(".txt").write_text(_lines(frame))
        files.append(Files(f"CAMERA_1__{image.stem}", image, mask, mask.with_suffix(".txt")))
    return Written(tuple(files), odd=images / "holiday.png")


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    colors: NDArray[np.uint8] = np.asarray(Image.open(files.mask)).copy()
    colors[:2, :3] = (1, 2, 3)
    Image.fromarray(colors).save(files.mask)


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    first, *rest = files.labels.read_text().splitlines(keepends=True)
    files.labels.write_text("".join([first.replace(" 0 0 0 ", " 0 0 0 left ", 1), *rest]))


def _format(name: str, write: Callable[[Path, list[Frame]], Written], palette: dict[str, Color], map_: str) -> Format:
    return Format(
        name,
        write,
        lambda root: MoraiDataset(format="morai", root=root, palette=map_),
        stuff=[c for c in palette if c not in _THINGS],
        things=_THINGS,
        spoil_mask=spoil_mask,
        spoil_box=spoil_box,
        sequences=True,
        folder=lambda root: root,
    )


FORMATS = [
    _format("morai", Capture(SRGB, instances=True), SRGB, "morai"),
    _format("morai, linear, without instances", Capture(LINEAR, suffix=".jpg"), LINEAR, "morai"),
    _format("morai33", Capture(OTHER, instances=True, field="-0007"), OTHER, "morai33"),
    _format("morai, plain", write_plain, SRGB, "morai"),
]

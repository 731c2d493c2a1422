"""Writes Virtual KITTI 2: below one folder, and one folder an archive with names in lower case."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.datasets.config import VirtualKittiDataset
from tests.datasets.writers.scene import CLASSES, Files, Format, Frame, Written

# As in colors.txt; the classes that it has not stay Undefined.
COLORS = {
    "road": (100, 60, 100),
    "building": (140, 140, 140),
    "pole": (255, 130, 0),
    "traffic light": (200, 200, 0),
    "traffic sign": (255, 255, 0),
    "vegetation": (90, 240, 0),
    "terrain": (210, 0, 200),
    "sky": (90, 200, 255),
    "car": (255, 127, 80),
    "truck": (160, 60, 60),
}
_TABLE = np.array([COLORS.get(name, (0, 0, 0)) for name in CLASSES], np.uint8)
BBOX = "frame cameraID trackID left right top bottom number_pixels truncation_ratio occupancy_ratio isMoving\n"
INFO = "trackID label model color\n"


def write(root: Path, frames: list[Frame], archives: bool = False) -> Written:
    """Write the frames as Scene01's variation clone; the text files list other boxes for the other camera."""
    rgb, masks, texts = (
        root / (f"vkitti_2.0.3_{kind}" if archives else "") / "Scene01" / "clone"
        for kind in ("rgb", "classSegmentation", "textgt")
    )
    rgb = rgb / "frames" / "rgb" / "Camera_0"
    masks = masks / "frames" / ("classsegmentation" if archives else "classSegmentation") / "Camera_0"
    for folder in (rgb, masks, texts):
        folder.mkdir(parents=True, exist_ok=True)
    files, bbox, info = [], BBOX, INFO
    for frame in frames:
        image, mask = rgb / f"rgb_{frame.number:05d}.jpg", masks / f"classgt_{frame.number:05d}.png"
        Image.fromarray(frame.image).save(image)
        Image.fromarray(_TABLE[frame.classes]).save(mask)
        for thing in frame.things:
            track, pixels = 10 * frame.number + thing.number, int(np.sum(frame.objects == thing.number))
            sides = f"{thing.x1} {thing.x2 - 1} {thing.y1} {thing.y2 - 1} {pixels}"
            bbox += f"{frame.number} 0 {track} {sides} 0 1 True\n{frame.number} 1 {track} 0 5 0 5 36 0.5 1 True\n"
            info += f"{track} {thing.name.capitalize()} Model{thing.number} Red\n"
        files.append(Files(f"Scene01__clone__Camera_0__{frame.number:05d}", image, mask, texts / "bbox.txt"))
    (texts / "bbox.txt").write_text(bbox)
    (texts / "info.txt").write_text(info)
    return Written(tuple(files), odd=rgb / "rgb_1.jpg")


def spoil_mask(files: Files) -> None:
    assert files.mask is not None
    pixels = np.asarray(Image.open(files.mask)).copy()
    pixels[:2, :3] = (1, 2, 3)
    Image.fromarray(pixels).save(files.mask)


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    lines = files.labels.read_text().splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"{int(files.id[-5:])} 0 "))
    lines[number] = " ".join(lines[number].split()[:6])
    files.labels.write_text("\n".join(lines) + "\n")


FORMATS = [
    Format(
        name,
        functools.partial(write, archives=archives),
        lambda root: VirtualKittiDataset(format="virtual_kitti", root=root),
        stuff=[name for name in COLORS if name not in ("car", "truck")],
        things=["car", "truck"],
        spoil_mask=spoil_mask,
        spoil_box=spoil_box,
        sequences=True,
        folder=lambda root, top=top: root / top / "Scene01" / "clone" / "frames" / "rgb" / "Camera_0",
    )
    for name, archives, top in (
        ("virtual_kitti", False, ""),
        ("virtual_kitti archives", True, "vkitti_2.0.3_rgb"),
    )
]

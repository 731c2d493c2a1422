"""Writes plain folders: index masks with a COCO file, colour masks with YOLO's text files, and drives by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from tasks.datasets.config import FolderDataset
from tests.datasets.writers import camvid, cityscapes
from tests.datasets.writers.scene import CLASSES, HEIGHT, WIDTH, Files, Format, Frame, Thing, Written

_THINGS = ("person", "car", "truck", "bus")


def write_coco(root: Path, frames: list[Frame]) -> Written:
    boxes = root / "boxes_train.json"
    content: dict[str, Any] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": n, "name": name} for n, name in enumerate(_THINGS, 1)],
    }
    files = []
    for frame in frames:
        image, mask = _paths(root, f"{'ab'[frame.number % 2]}_{frame.number}")
        Image.fromarray(frame.image).save(image)
        Image.fromarray(cityscapes.LABEL_IDS[frame.classes]).save(mask)
        content["images"].append({"id": frame.number, "file_name": image.name, "width": WIDTH, "height": HEIGHT})
        content["annotations"] += [
            {"id": len(content["annotations"]) + n, "image_id": frame.number, "category_id": _THINGS.index(t.name) + 1}
            | {"bbox": [t.x1, t.y1, t.x2 - t.x1, t.y2 - t.y1], "iscrowd": 0}
            for n, t in enumerate(frame.things)
        ]
        files.append(Files(image.stem, image, mask, boxes))
    boxes.write_text(json.dumps(content))
    return Written(tuple(files), json=boxes)


def write_yolo(root: Path, frames: list[Frame]) -> Written:
    labels = root / "labels" / "train"
    labels.mkdir(parents=True)
    (root / "data.yaml").write_text("names: {0: person, 1: car}\n")
    files = []
    for frame in frames:
        image, mask = _paths(root, f"{frame.number:03d}", "_L")
        Image.fromarray(frame.image).save(image)
        camvid.write_colors(mask, frame)
        text = labels / f"{image.stem}.txt"
        text.write_text("".join(f"{('person', 'car').index(t.name)} {_shares(t)}\n" for t in frame.things))
        files.append(Files(image.stem, image, mask, text))
    return Written(tuple(files))


def _paths(root: Path, name: str, suffix: str = "") -> tuple[Path, Path]:
    image, mask = root / "images" / "train" / f"{name}.png", root / "masks" / "train" / f"{name}{suffix}.png"
    for path in (image, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    return image, mask


def _shares(t: Thing) -> str:
    shares = ((t.x1 + t.x2) / 2 / WIDTH, (t.y1 + t.y2) / 2 / HEIGHT, (t.x2 - t.x1) / WIDTH, (t.y2 - t.y1) / HEIGHT)
    return " ".join(f"{share:.6f}" for share in shares)


def spoil_coco(files: Files) -> None:
    assert files.labels is not None
    content = json.loads(files.labels.read_text())
    number = next(i["id"] for i in content["images"] if i["file_name"] == files.image.name)
    next(a for a in content["annotations"] if a["image_id"] == number)["bbox"].pop()
    files.labels.write_text(json.dumps(content))


def spoil_yolo(files: Files) -> None:
    assert files.labels is not None
    files.labels.write_text(files.labels.read_text().replace(" 0.", " zero.", 1))


def _coco(name: str, **config: Any) -> Format:
    return Format(
        name,
        write_coco,
        lambda root: FolderDataset(format="folder", name="cityscapes", root=root, **config),
        stuff=[c for c in CLASSES if c not in _THINGS],
        spoil_mask=cityscapes.spoil_mask,
        spoil_box=spoil_coco,
        sequences=bool(config),
        folder=lambda root: root / "images" / "train",
    )


FORMATS = [
    _coco("folder-coco"),
    _coco("folder-sequences", sequence="^([ab])_"),
    Format(
        "folder-yolo",
        write_yolo,
        lambda root: FolderDataset(
            format="folder", name="camvid32", root=root, mask_suffix="_L", boxes="labels/{split}"
        ),
        stuff=camvid.STUFF,
        things=camvid.THINGS,
        spoil_mask=camvid.spoil_mask,
        spoil_box=spoil_yolo,
        folder=lambda root: root / "labels" / "train",
    ),
]

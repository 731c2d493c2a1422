"""Writes nuImages."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from tasks.datasets.config import NuImagesDataset
from tests.datasets.writers.scene import CLASSES, HEIGHT, WIDTH, Files, Format, Frame, Written

SURFACES = {"road": "flat.driveable_surface"}
OBJECTS = {
    "person": "human.pedestrian.adult",
    "car": "vehicle.car",
    "truck": "vehicle.truck",
    "bus": "vehicle.bus.rigid",
}
OTHERS = ("human.pedestrian.child", "movable_object.barrier", "vehicle.bicycle", "vehicle.ego")
CAMERAS = ("CAM_FRONT", "CAM_BACK")
Tables = dict[str, list[dict[str, Any]]]


def encoded(region: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask as the tables hold it."""
    counts = coco.encode(np.asfortranarray(region.astype(np.uint8)))["counts"]
    return {"size": list(region.shape), "counts": base64.b64encode(counts).decode()}


def fixed_tables() -> Tables:
    """The tables that do not depend on the frames, and the others without rows."""
    names = (*SURFACES.values(), *OBJECTS.values(), *OTHERS)
    return {
        "attribute": [],
        "ego_pose": [],
        "category": [{"token": f"of {name}", "name": name, "description": ""} for name in names],
        "sensor": [{"token": f"sensor {c}", "channel": c, "modality": "camera"} for c in CAMERAS],
        "calibrated_sensor": [{"token": f"mount {c}", "sensor_token": f"sensor {c}"} for c in CAMERAS],
        "log": [{"token": f"log {n}", "location": "boston-seaport", "logfile": ""} for n in range(2)],
        "sample": [],
        "sample_data": [],
        "surface_ann": [],
        "object_ann": [],
    }


def data_row(token: str, camera: str, sample: str, **changes: Any) -> dict[str, Any]:
    """A row of sample_data."""
    return {
        "token": token,
        "sample_token": sample,
        "ego_pose_token": "pose",
        "calibrated_sensor_token": f"mount {camera}",
        "filename": f"samples/{camera}/n0__{camera}__{token}.jpg",
        "fileformat": "jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "timestamp": 0,
        "is_key_frame": True,
        "next": "",
        "prev": "",
    } | changes


def annotation_row(
    token: str, image: str, category: str, region: NDArray[np.bool_], bbox: Any = None
) -> dict[str, Any]:
    """A row of surface_ann, or of object_ann."""
    row = {"token": token, "sample_data_token": image, "category_token": f"of {category}", "mask": encoded(region)}
    return row if bbox is None else row | {"attribute_tokens": [], "bbox": bbox}


def save(root: Path, tables: Tables) -> None:
    folder = root / "v1.0-train"
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.json").write_text(json.dumps(rows))


def write(root: Path, frames: list[Frame]) -> Written:
    tables, files = fixed_tables(), []
    labels = root / "v1.0-train" / "object_ann.json"
    for frame in frames:
        n, camera = frame.number, CAMERAS[frame.number % 2]
        row = data_row(f"frame{n}", camera, f"sample {n}")
        tables["sample"].append({"token": f"sample {n}", "log_token": f"log {n % 2}", "key_camera_token": f"frame{n}"})
        sweep = data_row(f"sweep{n}", camera, f"sample {n}", is_key_frame=False, filename=f"sweeps/{n}.jpg")
        lidar = data_row(
            f"lidar{n}", "LIDAR_TOP", f"sample {n}", fileformat="pcd", filename=f"samples/LIDAR_TOP/{n}.pcd"
        )
        tables["sample_data"] += [sweep, lidar, row]
        for name, category in SURFACES.items():
            region = frame.classes == CLASSES.index(name)
            tables["surface_ann"].append(annotation_row(f"surface {n} {name}", row["token"], category, region))
        for t in frame.things:
            region, bbox = frame.objects == t.number, [t.x1, t.y1, t.x2, t.y2]
            token = f"object {n} {t.number}"
            tables["object_ann"].append(annotation_row(token, row["token"], OBJECTS[t.name], region, bbox))
        image = root / row["filename"]
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame.image).save(image)
        files.append(Files(image.stem, image, labels=labels))
    save(root, tables)
    return Written(tuple(files), json=labels)


def spoil_box(files: Files) -> None:
    assert files.labels is not None
    rows = json.loads(files.labels.read_text())
    next(r for r in rows if r["sample_data_token"] == files.id.split("__")[-1])["bbox"] = [1, 2, None, 4]
    files.labels.write_text(json.dumps(rows))


FORMAT = Format(
    "nuimages",
    write,
    lambda root: NuImagesDataset(format="nuimages", root=root),
    stuff=list(SURFACES),
    spoil_box=spoil_box,
    sequences=True,
)

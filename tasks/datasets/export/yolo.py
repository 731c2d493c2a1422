"""YOLO: ``images/<split>``, ``labels/<split>/<name>.txt``, ``data.yaml``.

As https://docs.ultralytics.com/datasets/detect describes it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import yaml

from tasks.catalogue import t
from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError
from tasks.datasets.export.files import image_name, on_all_cores, put, splits_of
from tasks.datasets.export.summary import ExportSummary
from tasks.datasets.table import Box, Sample, SampleTable
from tasks.store import atomic_path


def write(table: SampleTable, folder: Path, link: bool, summary: ExportSummary) -> str:
    """Write the images that are labelled with boxes; returns the text that describes it.

    Raises:
        DatasetError: none is.
    """
    labelled = table.labelled("boxes")
    if not table.info.has_boxes or not len(labelled):
        raise DatasetError(Finding.of("data.export_no_boxes"), table.info.dataset)
    for boxes, crowds in on_all_cores(partial(_write_one, folder=folder, link=link), labelled, "YOLO"):
        summary.images += 1
        summary.boxes += boxes
        summary.left_out["groups"] += crowds
    summary.left_out["no_boxes"] += len(table) - len(labelled)
    summary.left_out["masks"] += len(table.labelled("masks"))
    # Without `path`, ultralytics starts at this file's folder, wherever that is moved to.
    content = {split: f"images/{split}" for split in splits_of(labelled)}
    names = dict(enumerate(table.info.detection))
    with atomic_path(folder / "data.yaml") as temporary:
        temporary.write_text(yaml.safe_dump({**content, "names": names}, sort_keys=False, allow_unicode=True), "utf-8")
    return t("export.about_yolo")


def _write_one(sample: Sample, folder: Path, link: bool) -> tuple[int, int]:
    """Write an image and its text file; returns how many boxes it has, and how many of groups were left out."""
    put(sample.image, folder / "images" / sample.split / image_name(sample), link)
    boxes = [box for box in sample.boxes or () if not box.crowd]
    with atomic_path(folder / "labels" / sample.split / f"{sample.id}.txt") as temporary:
        temporary.write_text("".join(_line(box, sample) for box in boxes), encoding="utf-8")
    return len(boxes), len(sample.boxes or ()) - len(boxes)


def _line(box: Box, sample: Sample) -> str:
    x, width = (box.x1 + box.x2) / 2 / sample.width, (box.x2 - box.x1) / sample.width
    y, height = (box.y1 + box.y2) / 2 / sample.height, (box.y2 - box.y1) / sample.height
    return f"{box.category} {x:.10f} {y:.10f} {width:.10f} {height:.10f}\n"

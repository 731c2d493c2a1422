"""COCO: ``images/<split>``, ``annotations/instances_<split>.json`` (https://cocodataset.org/#format-data), and masks.

COCO's own masks are of instances; the segmentation is written beside them as images of class indices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from tasks.catalogue import t
from tasks.datasets.export.files import image_name, on_all_cores, put, splits_of
from tasks.datasets.export.summary import ExportSummary
from tasks.datasets.masks import IGNORE, MaskEncoding, read_mask
from tasks.datasets.select import filtered
from tasks.datasets.table import Box, Sample, SampleTable
from tasks.store import atomic_path, write_json, write_png


def write(table: SampleTable, folder: Path, link: bool, summary: ExportSummary) -> str:
    """Write a table of any labels, or of none; returns the text that describes it."""
    work = partial(_write_one, folder=folder, encoding=table.info.encoding, link=link)
    for has_mask in on_all_cores(work, table, "COCO"):
        summary.images += 1
        summary.masks += has_mask
    text = t("export.about_images")
    if summary.masks:
        classes = [{"id": i, **c.model_dump()} for i, c in enumerate(table.info.classes)]
        write_json(folder / "classes.json", [*classes, {"id": IGNORE, "name": "ignore", "color": (0, 0, 0)}])
        text += t("export.about_pixel_classes")
    if table.info.has_boxes:
        labelled = table.labelled("boxes")
        summary.left_out["unlisted"] += len(table) - len(labelled)
        for split in splits_of(labelled):
            path = folder / "annotations" / f"instances_{split}.json"
            summary.boxes += _write_instances(path, filtered(labelled, split=split))
        text += t("export.about_boxes")
    return text


def _write_one(sample: Sample, folder: Path, encoding: MaskEncoding | None, link: bool) -> bool:
    put(sample.image, folder / "images" / sample.split / image_name(sample), link)
    if sample.mask is None or encoding is None:
        return False
    write_png(folder / "masks" / sample.split / f"{sample.id}.png", read_mask(sample.mask, encoding))
    return True


def _write_instances(path: Path, table: SampleTable) -> int:
    """Write the boxes of a split, a row at a time; returns how many."""
    categories = [{"id": n, "name": name} for n, name in enumerate(table.info.detection, 1)]
    images = (
        {"id": n, "file_name": image_name(s), "width": s.width, "height": s.height} for n, s in enumerate(table, 1)
    )
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(f'{{"info": {json.dumps({"description": table.info.dataset})},\n')
        stream.write(f'"categories": {json.dumps(categories)},\n"images": [')
        _write_rows(stream, images)
        stream.write('],\n"annotations": [')
        count = _write_rows(stream, _annotations(table))
        stream.write("]}\n")
    return count


def _write_rows(stream: TextIO, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    for count, row in enumerate(rows, 1):
        stream.write((",\n" if count > 1 else "\n") + json.dumps(row))
    return count


def _annotations(table: SampleTable) -> Iterator[dict[str, Any]]:
    boxes = ((image, box) for image, sample in enumerate(table, 1) for box in sample.boxes or ())
    return ({"id": n, "image_id": image, **_annotation(box)} for n, (image, box) in enumerate(boxes, 1))


def _annotation(box: Box) -> dict[str, Any]:
    width, height = box.x2 - box.x1, box.y2 - box.y1
    return {
        "category_id": box.category + 1,
        "bbox": [box.x1, box.y1, width, height],
        "area": width * height,
        "iscrowd": int(box.crowd),
    }

"""What a program that translates is given: images with their labels, as COCO has them, and depth."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa

from tasks.datasets import SampleTable, export_table
from tasks.translate.errors import OutsideError
from tasks.translate.outside.matching import Matched, matched
from tasks.translate.sections.command import Depth

_SPLIT = "all"


def write_inputs(table: SampleTable, folder: Path, depth: Depth | None) -> dict[str, str]:
    """Write a table's images and labels into a folder, which is emptied before.

    It gets copies: what the program does to them changes nothing of the data set. Masks hold class ids of the taxonomy
    and 255 for ignore, ``uint8 [H, W]``; ``classes.json`` names them.

    Returns:
        Placeholder -> the path that stands for it.

    Raises:
        DatasetError, ItemError: an image or label cannot be read.
        OutsideError: an image has no depth.
    """
    for leftover in (folder, folder.with_name(f"{folder.name}.partial")):
        shutil.rmtree(leftover, ignore_errors=True)
    place = table.rows.schema.get_field_index("split")
    one_split = table.rows.set_column(place, "split", pa.array([_SPLIT] * len(table), pa.string()))
    export_table(table.having(one_split), folder, "coco")
    images, masks, listed, depths = folder / "images" / _SPLIT, folder / "masks" / _SPLIT, folder / "list.txt", "depth"
    for made in (masks, folder / depths):
        made.mkdir(parents=True, exist_ok=True)
    listed.write_text("".join(f"{path}\n" for path in sorted(images.iterdir())), encoding="utf-8")
    if depth is not None:
        found = match_depth(table, depth)
        if (problem := found.problem()) is not None:
            raise OutsideError(problem)
        for id_, path in found.files.items():
            shutil.copyfile(path, folder / depths / f"{id_}{path.suffix}")
    boxes = folder / "annotations" / f"instances_{_SPLIT}.json"
    paths = {"input": folder, "images": images, "masks": masks, "boxes": boxes, "list": listed, depths: folder / depths}
    return {name: str(path) for name, path in paths.items()}


def match_depth(table: SampleTable, depth: Depth) -> Matched:
    """The depth file of each image.

    Raises:
        DatasetError: there is no such folder.
    """
    return matched(table, depth.folder, depth.files(), renamed=(depth.find, depth.put))

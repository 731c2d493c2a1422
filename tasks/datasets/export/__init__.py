"""Writing any sample table as COCO, Cityscapes or YOLO, for those who train elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tasks.contracts import Finding
from tasks.datasets.errors import DatasetError
from tasks.datasets.export import cityscapes, coco, yolo
from tasks.datasets.export.summary import ExportSummary
from tasks.datasets.table import SampleTable
from tasks.store import atomic_path

__all__ = ["ExportSummary", "Format", "export_table"]

Format = Literal["coco", "cityscapes", "yolo"]
_Write = Callable[[SampleTable, Path, bool, ExportSummary], str]
_WRITE: dict[Format, _Write] = {"coco": coco.write, "cityscapes": cityscapes.write, "yolo": yolo.write}


def export_table(table: SampleTable, to: Path, format: Format, *, link: bool = False) -> ExportSummary:
    """Write a table's images and labels in a format's own layout, and a ``README.txt`` that describes what is there.

    What the format cannot hold is left out and counted in the summary. All is built in ``<to>.partial``, which is
    renamed at the end: an error leaves nothing behind.

    Args:
        table: any table; images and masks may lie anywhere, in zip archives too.
        to: the folder to write, which must not exist, or be empty.
        format: whose layout.
        link: make hard links instead of copies where an image lies on the same file system. A linked image is the one
            that the table has: who changes it changes both.

    Raises:
        DatasetError: ``to`` holds something, the table is empty, or the format cannot express it.
        ItemError: an image or mask cannot be read; the message names it.
    """
    to = to.expanduser().resolve()
    partial = to.with_name(f"{to.name}.partial")
    if not len(table):
        raise DatasetError(Finding.of("data.export_empty"), table.info.dataset)
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise DatasetError(Finding.of("data.export_exists"), to)
    if partial.exists():
        raise DatasetError(Finding.of("data.export_partial"), partial)
    summary = ExportSummary(format, to)
    partial.mkdir(parents=True)
    try:
        text = _WRITE[format](table, partial, link, summary)
        summary.left_out = +summary.left_out  # without the zeros
        with atomic_path(partial / "README.txt") as temporary:
            temporary.write_text(f"{table.info.dataset}, {summary.counts()}.\n\n{text}", encoding="utf-8")
        partial.rename(to)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return summary

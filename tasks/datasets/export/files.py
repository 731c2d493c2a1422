"""What the exports share: going through a table on all cores, and putting images into place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tasks.compute import with_progress
from tasks.datasets.images import content_of, is_turned, read_image
from tasks.datasets.table import Sample, SampleTable
from tasks.store import atomic_path, write_png

T = TypeVar("T")
_AT_ONCE = 1024  # samples that wait for a core, so that a million of them need not be in memory


def on_all_cores(work: Callable[[Sample], T], table: SampleTable, format_: str) -> Iterator[T]:
    """Yield ``work`` of every sample, in order."""
    return with_progress(_outcomes(work, table), len(table), f"exporting {table.info.dataset} as {format_}")


def _outcomes(work: Callable[[Sample], T], table: SampleTable) -> Iterator[T]:
    samples = iter(table)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while some := list(islice(samples, _AT_ONCE)):
            yield from pool.map(work, some)


def image_name(sample: Sample) -> str:
    """The file name of a sample's image in an export: PNG where the image has to be turned, which no JPEG is exactly.

    Raises:
        ImageError: it cannot be read.
    """
    turned = is_turned(content_of(sample.image), sample.image)
    return f"{sample.id}{'.png' if turned else sample.image.suffix}"


def put(image: Path, to: Path, link: bool) -> None:
    """Copy an image file, which may lie in a zip archive; or make a hard link to it where that is possible.

    One that its EXIF turns is written upright, as PNG without EXIF: labels are in displayed coordinates.

    Raises:
        ImageError: it cannot be read.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    content = content_of(image)
    if is_turned(content, image):
        write_png(to, read_image(image))
        return
    if link:
        # Another file system, one without links, another's file, one in an archive: a copy will do.
        with contextlib.suppress(OSError):
            to.hardlink_to(image.resolve())
            return
    with atomic_path(to) as temporary:
        temporary.write_bytes(content)


def splits_of(table: SampleTable) -> list[str]:
    """The splits of a table, in order of their first image."""
    splits: list[str] = table.rows["split"].unique().to_pylist()
    return splits

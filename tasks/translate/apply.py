"""Applies a translator to every image of a table. Geometry is exact and labels are never touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tasks.datasets.images import write_png
from tasks.datasets.table import Sample, SampleTable
from tasks.progress import progress
from tasks.store import file_sha256
from tasks.translate.ahead import ahead
from tasks.translate.methods.base import Image, ImageTranslator
from tasks.translate.pixels import PixelError, is_whole_png, read_exact

IMAGES = "images"


def translate_table(table: SampleTable, translator: ImageTranslator, folder: Path, name: str) -> int:
    """Translate a table's images to ``folder/images/<id>.png`` and write ``folder/samples.parquet``.

    Rows keep id, boxes, mask, split and extra. What lies finished in the folder is not made again; batches are cut
    from the whole table, so that a resumed translation gives the same pixels as an uninterrupted one.

    Args:
        table: the source images.
        translator: what translates them.
        folder: an existing folder.
        name: the translator's name, for progress lines.

    Returns:
        How many images were made now.

    Raises:
        ImageError: an image cannot be read, is smaller than the translator can take, or has another size than the
            table says; the message names it.
    """
    (folder / IMAGES).mkdir(exist_ok=True)
    batches = list(_batches(table, translator.batch_pixels))
    done: list[Sample] = []
    made = 0
    results = ahead(lambda batch: _translate_batch(batch, translator, folder), batches)
    for samples, count in progress(results, len(batches), f"translating {name}"):
        done += samples
        made += count
    SampleTable.from_samples(done, table.info, folder).write(folder)
    return made


def _batches(table: SampleTable, pixels: int) -> Iterator[list[Sample]]:
    """Neighbours of one size, as many as fit into so many pixels, and at least one."""
    batch: list[Sample] = []
    for sample in table:
        size = (sample.width, sample.height)
        full = (len(batch) + 1) * sample.width * sample.height > pixels
        if batch and (full or size != (batch[0].width, batch[0].height)):
            yield batch
            batch = []
        batch.append(sample)
    if batch:
        yield batch


def _translate_batch(batch: list[Sample], translator: ImageTranslator, folder: Path) -> tuple[list[Sample], int]:
    paths = [folder / IMAGES / f"{s.id}.png" for s in batch]
    missing = [not is_whole_png(p, s.width, s.height) for s, p in zip(batch, paths, strict=True)]
    if any(missing):
        results = translator([_read(s, translator.minimum) for s in batch], [s.id for s in batch])
        for path, image, wanted in zip(paths, results, missing, strict=True):
            if wanted:
                write_png(path, image)
    return [_row(s, p, folder) for s, p in zip(batch, paths, strict=True)], sum(missing)


def _read(sample: Sample, minimum: int) -> Image:
    image = read_exact(sample.image)
    height, width = image.shape[:2]
    if (width, height) != (sample.width, sample.height):
        raise PixelError(
            sample.image,
            f"{width}x{height}, but its row in the table says {sample.width}x{sample.height}: "
            "the file has changed since the data set was read",
            "size",
        )
    if min(width, height) < minimum:
        reason = f"{width}x{height} is too small: the network needs {minimum} pixels a side"
        raise PixelError(sample.image, reason, "size")
    return image


def _row(sample: Sample, path: Path, folder: Path) -> Sample:
    mask = sample.mask.absolute() if sample.mask else None
    return replace(sample, image=path.relative_to(folder), mask=mask, sha256=file_sha256(path))

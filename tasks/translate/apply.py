"""Applies a translator to every image of a table. Geometry is exact and labels are never touched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.compute import ahead, with_progress
from tasks.contracts import Finding
from tasks.datasets import PixelError, Sample, SampleTable, content_of, rgb_of
from tasks.store import file_sha256, write_png
from tasks.translate.methods.base import Image, ImageTranslator
from tasks.translate.pixels import is_whole_png

IMAGES = "images"


def translate_table(table: SampleTable, translator: ImageTranslator, folder: Path, name: str) -> int:
    """Translate a table's images to ``folder/images/<id>.png`` and write ``folder/samples.parquet``.

    Rows keep boxes, mask, split and extra, and their id; of a translator of several variants, each row becomes rows
    ``<id>__v0``, ``<id>__v1``, ... whose extra also holds ``variant`` and ``of``, the source's id. What lies finished
    in the folder is not made again; batches are cut from the whole table, so that a resumed translation gives the same
    pixels as an uninterrupted one.

    Args:
        table: the source images.
        translator: what translates them.
        folder: an existing folder.
        name: the translator's name, for progress lines.

    Returns:
        How many images were made now.

    Raises:
        ImageError: an image cannot be read, has changed since the table was made, cannot be converted to RGB exactly,
            is smaller than the translator can take, or does not fit into memory; the message names it.
    """
    batches = list(_batches(_wanted(table, translator), translator.batch_pixels))
    (folder / IMAGES).mkdir(exist_ok=True)
    done: list[Sample] = []
    made = 0
    results = ahead(lambda batch: _translate_batch(batch, translator, folder), batches)
    for samples, count in with_progress(results, len(batches), f"translating {name}"):
        done += samples
        made += count
    SampleTable.from_samples(done, table.info, folder, table.root).write(folder)
    return made


def _wanted(table: SampleTable, translator: ImageTranslator) -> Iterator[Sample]:
    """A row for every translation to be made, with the source's image."""
    for sample in table:
        if min(sample.width, sample.height) < (least := translator.minimum):
            finding = Finding.of("data.too_small", width=sample.width, height=sample.height, least=least)
            raise PixelError(sample.image, finding, "size")
        if translator.variants == 1:
            yield sample
            continue
        for k in range(translator.variants):
            yield replace(sample, id=f"{sample.id}__v{k}", extra={**sample.extra, "variant": k, "of": sample.id})


def _batches(samples: Iterable[Sample], pixels: int) -> Iterator[list[Sample]]:
    """Neighbours of one size, as many as fit into so many pixels, and at least one."""
    batch: list[Sample] = []
    for sample in samples:
        size = (sample.width, sample.height)
        full = (len(batch) + 1) * sample.width * sample.height > pixels
        if batch and (full or size != (batch[0].width, batch[0].height)):
            yield batch
            batch = []
        batch.append(sample)
    if batch:
        yield batch


def _translate_batch(batch: list[Sample], translator: ImageTranslator, folder: Path) -> tuple[list[Sample], int]:
    """Read, translate and write: several batches are on their way at once, each in a thread."""
    paths = [folder / IMAGES / f"{s.id}.png" for s in batch]
    missing = [not is_whole_png(p, s.width, s.height) for s, p in zip(batch, paths, strict=True)]
    if any(missing):
        results = translate_samples(batch, translator)
        for path, image, wanted in zip(paths, results, missing, strict=True):
            if wanted:
                write_png(path, image)
    return [_row(s, p, folder) for s, p in zip(batch, paths, strict=True)], sum(missing)


def translate_samples(batch: Sequence[Sample], translator: ImageTranslator) -> list[Image]:
    """Read images of one size and translate them, without writing anything; raises as ``translate_table`` does."""
    try:
        return translator([_read(s) for s in batch], [s.id for s in batch])
    except MemoryError as error:
        first = batch[0]
        finding = Finding.of("data.no_memory", width=first.width, height=first.height, problem=str(error))
        raise PixelError(first.image, finding, "size") from error


def _read(sample: Sample) -> Image:
    content = content_of(sample.image)
    if hashlib.sha256(content).hexdigest() != sample.sha256:
        raise PixelError(sample.image, Finding.of("data.changed"), "found")
    return rgb_of(content, sample.image)


def _row(sample: Sample, path: Path, folder: Path) -> Sample:
    mask = sample.mask.absolute() if sample.mask else None
    return replace(sample, image=path.relative_to(folder), mask=mask, sha256=file_sha256(path))

"""The images that translation flipped most: what a frozen segmenter reads rightly before, and wrongly after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.audit import source_id
from tasks.catalogue import percent, say, t
from tasks.contracts import AUDIT_IMAGES, Arm, Finding
from tasks.datasets import IGNORE, ImageError, Sample, mask_of, read_image, read_label
from tasks.report.gallery.grid import Grid, GridRow, Picture
from tasks.report.gallery.marks import Flags, outline
from tasks.report.gallery.predictions import class_legend
from tasks.report.gallery.samples import photograph, translated_label
from tasks.report.gallery.sets import Images, Sets
from tasks.report.model import AuditPart
from tasks.report.words import arm_label

_SPECK = 0.001  # of an image: connected flipped pixels of less are not outlined
_TRIED = 4  # times as many images as are shown are looked at: some are flipped in specks alone
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Case:
    """A translated image with what it was made of; ``before`` and ``after`` are what the judge reads in them."""

    source: Sample | None
    translated: Sample
    share: float
    before: Path
    after: Path


@dataclass(frozen=True)
class _Flip:
    """Where an image is flipped, ``bool [H, W]``, and from which class to which most."""

    region: Flags
    main: tuple[str, str]


def worst_flips(sets: Sets, audits: Sequence[AuditPart]) -> Iterator[Grid]:
    """A grid a translator that a segmenter was asked about, of the images that are flipped most."""
    if sets.source is None or not sets.config.flip_rows:
        return
    for name, images in sets.changed.items():
        folders = sets.judged(name)
        if not {"source", "translated"} <= folders.keys():
            continue
        cases = _cases(name, images, folders, sets)
        rows = tuple(_rows(cases, images, sets.config.flip_rows))
        if rows:
            yield Grid(
                kind="flips",
                translator=name,
                title=t("pictures.flips_title", translator=name),
                note=t("pictures.flips_note", share=percent(_SPECK)) + _trust(name, audits),
                columns=(
                    arm_label(Arm("source")),
                    translated_label(name),
                    t("pictures.column_read_before"),
                    t("pictures.column_read_after"),
                ),
                rows=rows,
                legend=class_legend(images),
            )


def _trust(name: str, audits: Sequence[AuditPart]) -> str:
    """How well the judge reads real images, where that is known."""
    flips = next((a.audit.flips for a in audits if a.name == name), None)
    if flips is None or flips.real_miou is None:
        return ""
    return " " + t("pictures.judge_miou", miou=percent(flips.real_miou))


def _cases(name: str, images: Images, folders: dict[str, Path], sets: Sets) -> Iterator[_Case]:
    """The flipped images, the worst first."""
    assert sets.source is not None
    path = sets.record.audits[name].file(AUDIT_IMAGES)
    try:
        columns = pq.read_table(path, columns=["id", "flipped"]).to_pydict()
        shares = [(float(share), str(i)) for i, share in zip(columns["id"], columns["flipped"], strict=True) if share]
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        sets.reader.skip(path, error)
        return
    for share, sample_id in sorted((pair for pair in shares if pair[0] > 0), key=lambda pair: -pair[0]):
        if (sample := images.get(sample_id)) is not None:
            of = source_id(sample)
            before, after = (
                folders[role] / "predictions" / f"{i}.png" for role, i in (("source", of), ("translated", sample_id))
            )
            yield _Case(sets.source.get(of), sample, share, before, after)


def _rows(cases: Iterator[_Case], images: Images, number: int) -> Iterator[GridRow]:
    found = 0
    for tried, case in enumerate(cases):
        if found == number or tried == _TRIED * number:
            return
        if (row := _row(case, images)) is not None:
            found += 1
            yield row


def _row(case: _Case, images: Images) -> GridRow | None:
    """An image with its flips outlined; plain where they cannot be had; None where it is flipped in specks alone."""
    sample_id, told = case.translated.id, t("pictures.flipped", share=percent(case.share))
    region: Flags | None = None
    read = (sample_id, sample_id)
    try:
        flip = _flip(case, images)
        if flip is None:
            return None
        region, read, told = flip.region, flip.main, f"{told}, {flip.main[0]} → {flip.main[1]}"
    except ImageError as error:
        told = f"{told}; {t('pictures.not_outlined', file=error.file.name, reason=say(error.finding))}"
    size = (case.translated.width, case.translated.height)
    pictures = (
        _outlined(sample_id, case.source, region),
        _outlined(told, case.translated, region),
        Picture(caption=read[0], label=case.before, size=size),
        Picture(caption=read[1], label=case.after, size=size),
    )
    return GridRow(id=sample_id, pictures=pictures)


def _outlined(caption: str, sample: Sample | None, region: Flags | None) -> Picture:
    if sample is None or region is None:
        return photograph(caption, sample)
    try:
        return Picture(caption=caption, pixels=outline(read_image(sample.image), region))
    except ImageError:
        return photograph(caption, sample)  # which says why it cannot be shown when it is packed


def _flip(case: _Case, images: Images) -> _Flip | None:
    """Where the judge reads the label before translation, and not after; None where that is specks alone.

    Raises:
        ImageError: the label or a prediction cannot be read.
    """
    if case.translated.mask is None or images.info.encoding is None:
        raise ImageError(case.translated.image, Finding.of("pictures.no_label"))
    label = mask_of(case.translated, images.info)
    before, after = (_prediction(path, label) for path in (case.before, case.after))
    region = _without_specks((before == label) & (after != label) & (label != IGNORE))
    if not region.any():
        return None
    names = [c.name for c in images.info.classes]
    pairs, counts = np.unique(label[region].astype(np.int64) * 256 + after[region], return_counts=True)
    main = divmod(int(pairs[counts.argmax()]), 256)
    return _Flip(region, (_name(names, main[0]), _name(names, main[1])))


def _prediction(path: Path, label: Labels) -> Labels:
    read = read_label(path, size=(label.shape[1], label.shape[0]))
    return (read if read.ndim == 2 else read[..., 0]).astype(np.uint8)


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if index < len(names) else str(index)


def _without_specks(region: Flags) -> Flags:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= _SPECK * region.size
    large[0] = False  # the ground
    return np.asarray(large[parts], bool)

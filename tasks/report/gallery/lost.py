"""Signs, lights and poles that translation lost: marked crops at their own scale, the worst first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.audit import MARGIN, DetailMaps, source_id
from tasks.catalogue import percent, t
from tasks.contracts import Arm, Audit, Finding
from tasks.datasets import ImageError, Sample, TableInfo, mask_of, read_image
from tasks.report.gallery.grid import Grid, GridRow, Picture
from tasks.report.gallery.marks import Flags, Pixels, corners
from tasks.report.gallery.samples import translated_label
from tasks.report.gallery.sets import Images, Sets
from tasks.report.model import AuditPart
from tasks.report.words import arm_label

CROP = 96  # pixels a side
_FIRST = ("traffic light", "traffic sign", "SignSymbol")  # what nobody can do without; other thin classes follow
_LEAST = 20  # pixels of a component
_LOOKED_AT = 4  # images a class, of those that the audit lists
_OF_ONE = 2  # crops of an image, at most
_KERNEL = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
Window = tuple[slice, slice]


@dataclass(frozen=True)
class _Lost:
    """A component of a thin class: how much of its detail is kept, 0 to 1, and its crops before and after."""

    name: str
    id: str
    kept: float
    crops: tuple[Pixels, Pixels]


def lost_details(sets: Sets, audits: Sequence[AuditPart]) -> Iterator[Grid]:
    """A grid a translator that lost detail of thin classes."""
    if sets.source is None or not sets.config.lost_rows:
        return
    by_name = {a.name: a.audit for a in audits}
    for name, images in sets.changed.items():
        wanted = _listed(by_name[name]) if name in by_name else {}
        lost = _chosen(_measured(wanted, images, sets), list(wanted), sets.config.lost_rows)
        if lost:
            yield Grid(
                kind="lost",
                translator=name,
                title=t("pictures.lost_title", translator=name),
                note=t("pictures.lost_note", pixels=CROP),
                columns=(arm_label(Arm("source")), translated_label(name)),
                rows=tuple(map(_row, lost)),
            )


def _row(lost: _Lost) -> GridRow:
    caption = t("pictures.kept", name=lost.name, share=percent(lost.kept))
    captions = (f"{lost.name}, {lost.id}", caption)
    pictures = [Picture(caption=c, pixels=p, sharp=True) for c, p in zip(captions, lost.crops, strict=True)]
    return GridRow(id=f"{lost.name}, {lost.id}", pictures=tuple(pictures))


def _listed(audit: Audit) -> dict[str, tuple[str, ...]]:
    """Thin class -> translated images that lost most of its detail, the worst first; signs and lights come first."""
    found = {
        name: c.listed[:_LOOKED_AT]
        for c in audit.checks
        if (name := c.subject.class_name) is not None and c.subject.part == "gradient" and c.listed
    }
    order = [*(n for n in _FIRST if n in found), *(d.region for d in audit.detail if d.region in found), *found]
    return {name: found[name] for name in dict.fromkeys(order)}


def _measured(wanted: dict[str, tuple[str, ...]], images: Images, sets: Sets) -> list[_Lost]:
    """Every component of the wanted classes in the images listed for them."""
    assert sets.source is not None
    pairs = [
        (before, after)
        for i in dict.fromkeys(i for ids in wanted.values() for i in ids)
        if (after := images.get(i)) is not None and (before := sets.source.get(source_id(after))) is not None
    ]
    names = [c.name for c in sets.source.info.classes]
    classes = {names.index(name): name for name in wanted if name in names}
    info = sets.source.info

    def one(pair: tuple[Sample, Sample]) -> list[_Lost] | ImageError:
        try:
            return list(_components(*pair, info, classes))
        except ImageError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(one, pairs))
    for error in (r for r in results if isinstance(r, ImageError)):
        sets.reader.skip(error.file, error.finding)
    return [lost for found in results if not isinstance(found, ImageError) for lost in found]


def _components(before: Sample, after: Sample, info: TableInfo, classes: dict[int, str]) -> Iterator[_Lost]:
    if before.mask is None or info.encoding is None:
        return
    source, translated, mask = read_image(before.image), read_image(after.image), mask_of(before, info)
    for path, array in ((after.image, translated), (before.mask, mask)):
        if array.shape[:2] != source.shape[:2]:
            raise ImageError(
                path, Finding.of("pictures.other_size", width=array.shape[1], height=array.shape[0]), "size"
            )
    maps = DetailMaps.of(source, translated)
    for index, name in classes.items():
        _, parts, stats, _ = cv2.connectedComponentsWithStats((mask == index).astype(np.uint8), connectivity=8)
        for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _LEAST).tolist():
            if label:  # 0 is the ground
                box = _box(stats[label])
                kept = _kept(maps, parts == label, box)
                if kept is not None:
                    yield _Lost(name, after.id, kept, _crops(source, translated, box))


def _box(stats: NDArray[np.int32]) -> tuple[int, int, int, int]:
    x, y, w, h = stats[:4].tolist()
    return x, y, x + w, y + h


def _kept(maps: DetailMaps, component: Flags, box: tuple[int, int, int, int]) -> float | None:
    """The mean of gradient, edges and high band kept in and around a component; None where it has no detail."""
    x1, y1, x2, y2 = box
    window = slice(max(0, y1 - MARGIN), y2 + MARGIN), slice(max(0, x1 - MARGIN), x2 + MARGIN)
    region = cv2.dilate(component[window].astype(np.uint8), _KERNEL) > 0
    values = np.array(_cut(maps, window).measure(region))
    return float(np.nanmean(values)) if not np.isnan(values).all() else None


def _cut(maps: DetailMaps, window: Window) -> DetailMaps:
    """The part of the maps in a window: summing up all of a large image for each of its signs would take minutes."""

    def part(plane: object) -> object:
        return tuple(map(part, plane)) if isinstance(plane, tuple) else plane[window]  # type: ignore[index]

    return DetailMaps(**{f.name: part(getattr(maps, f.name)) for f in fields(maps)})  # type: ignore[arg-type]


def _crops(source: Pixels, translated: Pixels, box: tuple[int, int, int, int]) -> tuple[Pixels, Pixels]:
    """Both images around the box's middle, as they are, marked; near a border, the crop moves into the image."""
    x1, y1, x2, y2 = box
    top, left = (
        min(max(0, (low + high - CROP) // 2), max(0, size - CROP))
        for low, high, size in ((y1, y2, source.shape[0]), (x1, x2, source.shape[1]))
    )
    inside = (x1 - left, y1 - top, x2 - left, y2 - top)
    before, after = (corners(i[top : top + CROP, left : left + CROP], inside) for i in (source, translated))
    return before, after


def _chosen(lost: Iterable[_Lost], classes: Sequence[str], number: int) -> list[_Lost]:
    """The worst of each class in turn, few of one image; in the order of the classes, the worst first."""
    worst = sorted((found for found in lost if found.kept < 1), key=lambda found: found.kept)
    queues = [iter([found for found in worst if found.name == name]) for name in classes]
    chosen: list[_Lost] = []
    of_image: dict[str, int] = {}
    while queues and len(chosen) < number:
        for queue in list(queues):
            found = next((f for f in queue if of_image.get(f.id, 0) < _OF_ONE), None)
            if found is None:
                queues.remove(queue)
            elif len(chosen) < number:
                chosen.append(found)
                of_image[found.id] = of_image.get(found.id, 0) + 1
    return sorted(chosen, key=lambda found: (classes.index(found.name), found.kept))

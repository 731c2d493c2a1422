"""A drive through the simulator beside its translations: does anything flicker or swim?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from tasks.catalogue import t
from tasks.datasets import ImageError, read_image
from tasks.report.gallery.grid import Grid, GridRow, Picture
from tasks.report.gallery.marks import Pixels, headed, writable
from tasks.report.gallery.sets import Images, Sets, everywhere, spread

_DRIVE = 4  # frames from which a sequence is a drive
_RATE, _SLOW = 4.0, 1.0  # frames a second of a drive, and of images that do not follow one another
_WIDTH = 960  # pixels of all panels side by side
_ROW = 4  # panels beside one another, at most
_GAP = 4


def clips(sets: Sets) -> Iterator[Grid]:
    """One clip: the longest sequence that all translated sets have, or images from all over where there is none."""
    if sets.source is None or not sets.changed or sets.config.clip_frames < 2:
        return
    common = everywhere(sets.source, sets.changed.values())
    ids, sequence = _drive(sets.source, common, sets.config.clip_frames)
    ids = ids or spread(common, sets.config.clip_frames)
    if not ids:
        return
    frames, lost = _frames(ids, sets.source, sets)
    names = ", ".join((t("pictures.clip_source"), *sets.changed))
    told = t("pictures.clip_drive", sequence=sequence) if sequence else t("pictures.clip_no_drive")
    note = " ".join((told, t("pictures.clip_lost", n=lost))) if lost else told
    caption = t("pictures.clip_caption", n=len(frames), panels=names)
    if len(frames) > 1:
        picture = Picture(caption=caption, frames=np.stack(frames), rate=_RATE if sequence else _SLOW, scale=2)
    else:
        picture = Picture(caption=caption, missing=t("pictures.clip_unread"))
    row = GridRow(id=sequence or t("pictures.clip_spread"), pictures=(picture,))
    yield Grid(kind="clip", title=t("pictures.clip_title"), note=note, columns=(), rows=(row,))


def _drive(source: Images, common: Sequence[str], number: int) -> tuple[list[str], str]:
    """Consecutive frames from the middle of the longest sequence, in the table's order, and its name."""
    sequences = dict(zip(source.ids, source.table.rows["sequence"].to_pylist(), strict=True))
    runs: dict[str, list[str]] = {}
    for sample_id in common:
        if name := sequences[sample_id]:
            runs.setdefault(str(name), []).append(sample_id)
    name, ids = max(runs.items(), key=lambda run: len(run[1]), default=("", []))
    if len(ids) < _DRIVE:
        return [], ""
    start = max(0, (len(ids) - number) // 2)
    return ids[start : start + number], name


def _frames(ids: Sequence[str], source: Images, sets: Sets) -> tuple[list[Pixels], int]:
    """The frames, all of one size, and how many could not be read."""
    panels = {_writable(t("pictures.clip_source"), 0): source}
    panels |= {_writable(name, k): images for k, (name, images) in enumerate(sets.changed.items(), 1)}
    width = (_WIDTH + _GAP) // _columns(len(panels)) - _GAP
    size: tuple[int, int] | None = None
    frames = []
    for sample_id in ids:
        samples = [images.of_source(sample_id) for images in panels.values()]
        try:
            images = [read_image(s.image) for s in samples if s is not None]
        except ImageError as error:
            sets.reader.skip(error.file, error.finding)
            continue
        size = size or _size(images[0], width)
        frames.append(_tiled([headed(_fit(i, size), name) for i, name in zip(images, panels, strict=True)]))
    return frames, len(ids) - len(frames)


def _writable(name: str, number: int) -> str:
    """A panel's heading; its number where the font does not have the name's letters."""
    return name if writable(name) else f"{number + 1}"


def _columns(panels: int) -> int:
    return panels if panels < _ROW else min(-(-panels // 2), _ROW)


def _size(image: Pixels, width: int) -> tuple[int, int]:
    """A panel's: no wider than the image is."""
    width = min(width, image.shape[1])
    return width, max(1, round(image.shape[0] * width / image.shape[1]))


def _fit(image: Pixels, size: tuple[int, int]) -> Pixels:
    shrinks = image.shape[1] > size[0]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _tiled(panels: Sequence[Pixels]) -> Pixels:
    """Panels of one size beside one another, a few a row; what is left of the last row is dark."""
    height, width = panels[0].shape[:2]
    columns = _columns(len(panels))
    rows = -(-len(panels) // columns)
    tiled = np.zeros((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), np.uint8)
    for i, panel in enumerate(panels):
        y, x = (i // columns) * (height + _GAP), (i % columns) * (width + _GAP)
        tiled[y : y + height, x : x + width] = panel
    return tiled

"""Pictures of labels: masks and boxes drawn on their images, and where in the image each class tends to be."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tasks.catalogue import say, speaking, spoken, t
from tasks.compute import with_progress
from tasks.datasets.errors import ImageError
from tasks.datasets.images import read_image
from tasks.datasets.masks import IGNORE
from tasks.datasets.priors import mask_of
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo

log = logging.getLogger(__name__)

# The k-th detection class is outlined in the k-th of these: taxonomies colour only pixels, in tones too dark for lines.
BOX_COLORS = (
    (255, 214, 10),
    (255, 92, 120),
    (64, 196, 255),
    (105, 240, 120),
    (255, 150, 50),
    (214, 140, 255),
    (0, 229, 200),
    (240, 240, 240),
)
_WIDTH = 720  # pictures are drawn so wide, and their text so high that it is read at half of that
_TEXT = 20
_SMALL = 60**2  # objects of less area must not be hidden by names
_OVERLAY = 0.45


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """An image with its labels drawn on it.

    Attributes:
        id: the sample's.
        image: RGB ``uint8 [H, W, 3]``; None where the image cannot be read.
        notes: what is missing or broken, in words.
    """

    id: str
    image: NDArray[np.uint8] | None
    notes: tuple[str, ...] = ()


def draw_samples(table: SampleTable) -> list[DrawnSample]:
    """Draw every image of a table with its mask and boxes; what cannot be read is told in the picture's notes."""
    language = spoken()  # a thread speaks English by itself

    def draw(sample: Sample) -> DrawnSample:
        with speaking(language):
            return _draw_sample(sample, table.info)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        drawn = pool.map(draw, table)
        return list(with_progress(drawn, len(table), f"pictures of {table.info.dataset}"))


def _draw_sample(sample: Sample, info: TableInfo) -> DrawnSample:
    notes, mask = [], None
    try:
        image = read_image(sample.image)
    except ImageError as error:
        return DrawnSample(sample.id, None, (f"{error.file.name}: {say(error.finding)}",))
    if sample.mask is not None and info.encoding is not None:
        try:
            mask = mask_of(sample, info)
        except ImageError as error:
            notes.append(t("overview.bad_mask", file=error.file.name, why=error.finding))
    elif info.encoding is not None:
        notes.append(t("overview.no_mask"))
    if info.has_boxes and not sample.boxes:
        notes.append(t("overview.no_objects") if sample.boxes is not None else t("overview.no_box_labels"))
    drawn = draw_labels(image, mask, sample.boxes or (), info.classes, info.detection)
    return DrawnSample(sample.id, drawn, tuple(notes))


def draw_labels(
    image: NDArray[np.uint8],
    mask: NDArray[np.uint8] | None,
    boxes: Sequence[Box],
    classes: Sequence[SegmentationClass],
    detection: Sequence[str],
) -> NDArray[np.uint8]:
    """Draw labels on an image scaled to a width of 720 pixels.

    The mask becomes a translucent overlay in the classes' colours with the classes' boundaries, ignored pixels are
    hatched; boxes are outlined and named in the colours ``BOX_COLORS``, crowds with thin lines.

    Args:
        image: RGB ``uint8 [H, W, 3]``.
        mask: class indices ``uint8 [H, W]``, or of another size, to which it is stretched.
        boxes: in pixels of ``image``.
        classes: what the mask's indices mean.
        detection: what the boxes' categories mean.

    Returns:
        RGB ``uint8 [H * 720 / W, 720, 3]``.
    """
    height, width = image.shape[:2]
    scale = _WIDTH / width
    size = (_WIDTH, max(1, round(height * scale)))
    resampling = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    drawn = np.asarray(cv2.resize(image, size, interpolation=resampling), np.uint8)
    if mask is not None:
        indices = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        drawn = _overlaid(drawn, indices, classes)
    picture = Image.fromarray(drawn)
    scaled = [replace(b, x1=b.x1 * scale, y1=b.y1 * scale, x2=b.x2 * scale, y2=b.y2 * scale) for b in boxes]
    scaled.sort(key=_area, reverse=True)  # small ones last, so that large ones do not hide them
    _outline(picture, scaled)
    _name(picture, scaled, detection)
    return np.asarray(picture)


def _overlaid(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], classes: Sequence[SegmentationClass]
) -> NDArray[np.uint8]:
    palette = np.full((256, 3), 128, np.uint8)
    palette[: len(classes)] = [c.color for c in classes]
    color = palette[mask]
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    plain = (mask == IGNORE) & ((rows + columns) % 12 >= 4)  # what is left of ignored pixels between the stripes
    blended = np.where(plain[..., None], image, cv2.addWeighted(image, 1 - _OVERLAY, color, _OVERLAY, 0))
    edge = np.zeros(mask.shape, bool)
    for axis in (0, 1):
        edge |= (mask != np.roll(mask, 1, axis)) & (np.indices(mask.shape, sparse=True)[axis] > 0)
    blended[edge] = 255 - (255 - blended[edge]) // 3
    return np.asarray(blended, np.uint8)


def _outline(picture: Image.Image, boxes: Sequence[Box]) -> None:
    """Outline every box in its class's colour, on a dark edge that keeps it visible on any ground."""
    draw = ImageDraw.Draw(picture)
    for b in boxes:
        line = 1 if b.crowd else 3
        right, bottom = max(b.x1, b.x2 - 1), max(b.y1, b.y2 - 1)
        draw.rectangle((b.x1 - 1, b.y1 - 1, right + 1, bottom + 1), outline=(0, 0, 0), width=line + 2)
        draw.rectangle((b.x1, b.y1, right, bottom), outline=_color(b.category), width=line)


def _name(picture: Image.Image, boxes: Sequence[Box], detection: Sequence[str]) -> None:
    """Write the names of boxes where they hide no other name and no small object; colours tell the rest."""
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(_TEXT)
    taken = [b for b in boxes if _area(b) < _SMALL]
    for b in boxes:
        text = " ".join(detection[b.category].split()) + (
            " crowd" if b.crowd else ""
        )  # one line is all there is room for
        width, height = draw.textlength(text, font) + 8, _TEXT + 4
        for left, top in ((b.x1 - 1, b.y1 - height), (b.x2 - width + 1, b.y1 - height), (b.x1 - 1, b.y2), (b.x1, b.y1)):
            x = max(0.0, min(left, picture.width - width))
            place = Box(b.category, x, top, x + width, top + height)
            if 0 <= top <= picture.height - height and not any(_overlap(place, t) for t in taken if t is not b):
                draw.rectangle((place.x1, place.y1, place.x2, place.y2), fill=_color(b.category))
                draw.text((x + 4, top + height / 2), text, (0, 0, 0), font, anchor="lm")
                taken.append(place)
                break


def _color(category: int) -> tuple[int, int, int]:
    return BOX_COLORS[category % len(BOX_COLORS)]


def _area(box: Box) -> float:
    return (box.x2 - box.x1) * (box.y2 - box.y1)


def _overlap(a: Box, b: Box) -> bool:
    return a.x1 < b.x2 and b.x1 < a.x2 and a.y1 < b.y2 and b.y1 < a.y2

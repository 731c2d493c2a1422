"""Boxes from label images, for formats that have none of their own: one rule for all of them.

An object's box is the smallest that holds its visible pixels; what has fewer than a minimum of them is hidden, and
gives no box. Where the format numbers its objects, each number is an object (``instance_box``). Where it knows only
classes, each 8-connected region of a class is (``component_boxes``): objects that touch become one, one that something
stands in front of may become two. Pixels that the format itself marks as a group of objects (Cityscapes' ids below
1000) give a crowd box, COCO's ``iscrowd``, for each region: they are not counted as an object, and what is found there
is not counted as wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets.items import Boxes
from tasks.datasets.table import Box


def instance_box(found: Boxes, region: NDArray[np.bool_], category: int, min_pixels: int) -> None:
    """Add the box of an object's pixels.

    Args:
        found: what it is added to, or counted as hidden in.
        region: the object's pixels, ``bool [H, W]``, at least one.
        category: index into the detection classes.
        min_pixels: an object with fewer is hidden.
    """
    found.listed += 1
    if np.count_nonzero(region) < min_pixels:
        found.hidden += 1
        return
    columns, rows = np.flatnonzero(region.any(axis=0)), np.flatnonzero(region.any(axis=1))
    x1, x2, y1, y2 = (float(v) for v in (columns[0], columns[-1] + 1, rows[0], rows[-1] + 1))
    found.kept.append(Box(category, x1, y1, x2, y2))


def numbered_boxes(ids: NDArray[np.integer], categories: Mapping[int, int | None], min_pixels: int) -> Boxes:
    """The boxes of an image whose pixels hold object numbers.

    Args:
        ids: ``[H, W]``.
        categories: object number -> index into the detection classes, None: it is of another class; other numbers are
            no objects.
        min_pixels: objects with fewer are hidden.
    """
    found = Boxes()
    for value in np.unique(ids).tolist():
        if (category := categories.get(value)) is not None:
            instance_box(found, ids == value, category, min_pixels)
        elif value in categories:
            found.listed += 1
            found.other += 1
    return found


def component_boxes(
    mask: NDArray[np.uint8], categories: Mapping[int, int], min_pixels: int, crowd: bool = False
) -> Boxes:
    """The boxes of the 8-connected regions of each class.

    Args:
        mask: class indices ``[H, W]``.
        categories: class index -> index into the detection classes; other classes give no box.
        min_pixels: smaller regions are hidden.
        crowd: whether the boxes mark groups.
    """
    found = Boxes()
    for value, category in categories.items():
        region = (mask == value).astype(np.uint8)
        if not region.any():
            continue
        _, _, stats, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
        found.listed += len(stats) - 1
        for x, y, width, height, pixels in stats[1:].tolist():
            if pixels < min_pixels:
                found.hidden += 1
            else:
                found.kept.append(Box(category, float(x), float(y), float(x + width), float(y + height), crowd))
    return found

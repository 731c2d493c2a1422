"""Checks of one set's images: what was left out, what shows nothing, what stands twice, and their sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np

from tasks.contracts import Labels
from tasks.datasets.checks.model import (
    MAX_EXAMPLES,
    MAX_LISTED,
    Check,
    CheckedSet,
    CheckExample,
    part_text,
    share_text,
    side_by_side,
)
from tasks.datasets.config import DatasetsConfig
from tasks.datasets.errors import Cause

# Of every check of the reading: what holds where it passed, why something was left out, and what to do about that.
_CAUSES: dict[Cause, tuple[str, str, str]] = {
    "found": ("Every file and folder can be opened", "it cannot be listed or opened", "restore it, or its permissions"),
    "named": ("Every name follows the format's pattern", "the name is none of the format's", "rename or remove them"),
    "unique": ("No two images have the same id", "another image has the same id", "rename or remove them"),
    "paired": (
        "Every image has its label, and every label its image",
        "image or label lacks its partner",
        "restore the missing files",
    ),
    "decodable": ("Every file can be decoded", "the file is empty, cut off or no image", "copy the files again"),
    "size": (
        "Every label has the size of its image",
        "the label is not of the image's size",
        "export both at the same size",
    ),
    "classes": (
        "Every label's value is a known class",
        "the label holds a value that the taxonomy's map does not list",
        "add the value to the data set's map, or repair the label",
    ),
    "boxes": (
        "Every box is well-formed and in its image",
        "the box is malformed, empty or outside its image",
        "correct the annotations",
    ),
}
_NO_PICTURE = ("found", "decodable")  # whose files cannot be shown
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


def set_checks(role: str, checked: CheckedSet, config: DatasetsConfig, needed: Collection[Labels]) -> list[Check]:
    """The checks of one set by itself; ``needed`` are the labels that it must have."""
    checks = [_rejections(role, checked, cause, config.max_rejected) for cause in _CAUSES if _applies(checked, cause)]
    images = len(checked.table)
    message = f"{images:,} images can be used." if images else "No image can be used: see the other checks for why."
    checks.append(
        Check(
            name="empty",
            role=role,
            severity="error",
            passed=images > 0,
            measured=images,
            threshold=1,
            message=message,
            unit="count",
        )
    )
    if images:
        checks += [_labelled(role, checked, "masks", needed), _labelled(role, checked, "boxes", needed)]
        checks += [_blank(role, checked), _duplicates(role, checked, config.checks.duplicates)]
        checks += [_sizes(role, checked)] if role == "benchmark" else []
    return checks


def _labelled(role: str, checked: CheckedSet, labels: Labels, needed: Collection[Labels]) -> Check:
    """Whether the set has labels of a kind; some sets have them on a part of their images only."""
    count = len(checked.table.labelled(labels)) if _has(checked, labels) else 0
    task = "segmentation" if labels == "masks" else "detection"
    message = f"{part_text(count, len(checked.table), 'images')} have {labels}."
    if not count:
        message = f"No image has {labels}: {task} can be neither trained nor scored on this set."
    return Check(
        name=f"has_{labels}",
        role=role,
        severity="error" if labels in needed else "warning",
        passed=count > 0,
        measured=count,
        threshold=1,
        message=message,
        unit="count",
    )


def _has(checked: CheckedSet, labels: Labels) -> bool:
    info = checked.table.info
    return info.encoding is not None if labels == "masks" else info.has_boxes


def _applies(checked: CheckedSet, cause: Cause) -> bool:
    has = {"classes": checked.table.info.encoding is not None, "boxes": checked.table.info.has_boxes}
    return has.get(cause, True) or any(r.cause == cause for r in checked.rejected)


def _rejections(role: str, checked: CheckedSet, cause: Cause, most: float) -> Check:
    """What was left out for one cause; an error where all causes together pass the limit, as they stop the reading."""
    kind, what, total = ("box", "boxes", checked.boxes) if cause == "boxes" else ("image", "images", checked.images)
    found = [r for r in checked.rejected if r.cause == cause]
    together = sum(r.kind == kind for r in checked.rejected) / max(total, 1)
    good, why, advice = _CAUSES[cause]
    message = f"{good}."
    if found:
        message = f"{part_text(len(found), total, what)} left out because {why}: {advice}"
        too_much = f"; all causes together are {share_text(together)}, more than max_rejected = {share_text(most)}."
        message += too_much if together > most else "."
    files = dict.fromkeys(r.file for r in found if r.file.suffix.lower() in _PICTURES and cause not in _NO_PICTURE)
    reasons = {r.file: r.reason for r in found}
    return Check(
        name=cause,
        role=role,
        severity="error" if together > most else "warning",
        passed=not found,
        measured=min(len(found) / max(total, 1), 1.0),
        threshold=0,
        message=message,
        examples=tuple(
            CheckExample(caption=checked.short(f"{f.name}: {reasons[f]}"), images=(f,))
            for f in list(files)[:MAX_EXAMPLES]
        ),
        listed=tuple(checked.short(f"{r.file}: {r.reason}") for r in found[:MAX_LISTED]),
    )


def _blank(role: str, checked: CheckedSet) -> Check:
    rows = np.flatnonzero(checked.is_flat())
    ids, files = checked.ids(rows[:MAX_LISTED]), checked.files(rows[:MAX_EXAMPLES])
    message = "Every image shows something."
    if len(rows):
        count = part_text(len(rows), len(checked.table), "images")
        message = f"{count} of one colour, or of plain stripes: remove what is no picture."
    return Check(
        name="blank",
        role=role,
        severity="warning",
        passed=not len(rows),
        measured=len(rows) / len(checked.table),
        threshold=0,
        message=message,
        examples=tuple(CheckExample(caption=i, images=(f,)) for i, f in zip(ids, files, strict=False)),
        listed=tuple(ids),
    )


def _duplicates(role: str, checked: CheckedSet, most: float) -> Check:
    codes = checked.table.rows["sha256"].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)  # codes are numbered in order of first appearance
    copies = np.setdiff1d(np.arange(len(codes)), first, assume_unique=True)
    pairs = np.stack([copies, first[codes[copies]]])
    share = copies.size / len(codes)
    some = pairs[:, :MAX_LISTED]
    texts = tuple(f"{x} | {y}" for x, y in zip(checked.ids(some[0]), checked.ids(some[1]), strict=True))
    message = "No image stands twice in the set."
    if copies.size:
        count = part_text(copies.size, len(codes), "images")
        message = f"{count} are copies of another one of the set, byte by byte: " + (
            "remove them, for they count twice." if share > most else f"up to {share_text(most)} are tolerated."
        )
    return Check(
        name="duplicates",
        role=role,
        severity="warning",
        passed=share <= most,
        measured=share,
        threshold=most,
        message=message,
        examples=side_by_side(checked, checked, pairs, texts[:MAX_EXAMPLES]),
        listed=texts,
    )


def _sizes(role: str, checked: CheckedSet) -> Check:
    rows = checked.table.rows
    sizes = Counter(zip(rows["width"].to_pylist(), rows["height"].to_pylist(), strict=True)).most_common()
    message = "All images have one size."
    if len(sizes) > 1:
        message = f"The images have {len(sizes)} sizes, which no batch can hold together: evaluate.batch must be 1."
    return Check(
        name="sizes",
        role=role,
        severity="warning",
        passed=len(sizes) == 1,
        measured=len(sizes),
        threshold=1,
        message=message,
        listed=tuple(f"{w}x{h}, images: {n:,}" for (w, h), n in sizes[:MAX_LISTED]),
        unit="count",
    )

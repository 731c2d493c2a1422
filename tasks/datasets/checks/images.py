"""Checks of one set's images: what was left out, what shows nothing, what stands twice, and their sizes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import get_args

import numpy as np

from tasks.contracts import Check, CheckExample, Finding, Labels
from tasks.datasets.checks.model import MAX_EXAMPLES, MAX_LISTED, CheckedSet, items, looked, side_by_side
from tasks.datasets.config import DatasetsConfig
from tasks.datasets.errors import Cause
from tasks.datasets.images import SUFFIXES

_NO_PICTURE = ("found", "decodable")  # whose files cannot be shown


def set_checks(role: str, checked: CheckedSet, config: DatasetsConfig, needed: Collection[Labels]) -> list[Check]:
    """The checks of one set by itself; ``needed`` are the labels that it must have."""
    checks = [
        _rejections(role, checked, cause, config.max_rejected) for cause in get_args(Cause) if _applies(checked, cause)
    ]
    images = len(checked.table)
    checks.append(
        Check(
            name="empty",
            roles=(role,),
            severity="error",
            passed=images > 0,
            measured=images,
            threshold=1,
            finding=Finding.of("checks.empty_passed", n=images) if images else Finding.of("checks.empty_failed"),
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
    code = f"checks.has_{labels}_{'passed' if count else 'failed'}"
    return Check(
        name=f"has_{labels}",
        roles=(role,),
        severity="error" if labels in needed else "warning",
        passed=count > 0,
        measured=count,
        threshold=1,
        finding=Finding.of(code, **part(count, len(checked.table))),
        unit="count",
    )


def part(some: int, total: int) -> dict[str, int | float]:
    """How many of all, as values of a finding."""
    return {"some": some, "total": total, "share": some / max(total, 1)}


def _has(checked: CheckedSet, labels: Labels) -> bool:
    info = checked.table.info
    return info.encoding is not None if labels == "masks" else info.has_boxes


def _applies(checked: CheckedSet, cause: Cause) -> bool:
    has = {"classes": checked.table.info.encoding is not None, "boxes": checked.table.info.has_boxes}
    return has.get(cause, True) or any(r.cause == cause for r in checked.rejected)


def _rejections(role: str, checked: CheckedSet, cause: Cause, most: float) -> Check:
    """What was left out for one cause; an error where all causes together pass the limit, as they stop the reading."""
    kind, total = ("box", checked.boxes) if cause == "boxes" else ("image", checked.images)
    found = [r for r in checked.rejected if r.cause == cause]
    together = sum(r.kind == kind for r in checked.rejected) / max(total, 1)
    over = Finding.of("checks.over", together=together, most=most) if together > most else ""
    code = f"checks.{cause}_{'failed' if found else 'passed'}"
    shown = {r.file: r for r in found if r.file.suffix.lower() in SUFFIXES and cause not in _NO_PICTURE}
    check = Check(
        name=cause,
        roles=(role,),
        severity="error" if together > most else "warning",
        passed=not found,
        measured=min(len(found) / max(total, 1), 1.0),
        threshold=0,
        finding=Finding.of(code, over=over, **part(len(found), total)),
        examples=tuple(
            CheckExample(caption=checked.told(r, Path(file.name)), images=(file,))
            for file, r in list(shown.items())[:MAX_EXAMPLES]
        ),
        listed=tuple(checked.told(r, r.file) for r in found[:MAX_LISTED]),
    )
    return looked(check, total, "boxes" if kind == "box" else "pictures")


def _blank(role: str, checked: CheckedSet) -> Check:
    rows = np.flatnonzero(checked.is_flat())
    ids, files = checked.ids(rows[:MAX_LISTED]), checked.files(rows[:MAX_EXAMPLES])
    code = f"checks.blank_{'failed' if len(rows) else 'passed'}"
    told = items(ids)
    return Check(
        name="blank",
        roles=(role,),
        severity="warning",
        passed=not len(rows),
        measured=len(rows) / len(checked.table),
        threshold=0,
        finding=Finding.of(code, **part(len(rows), len(checked.table))),
        examples=tuple(CheckExample(caption=i, images=(f,)) for i, f in zip(told, files, strict=False)),
        listed=told,
    )


def _duplicates(role: str, checked: CheckedSet, most: float) -> Check:
    codes = checked.table.rows["sha256"].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)  # codes are numbered in order of first appearance
    copies = np.setdiff1d(np.arange(len(codes)), first, assume_unique=True)
    pairs = np.stack([copies, first[codes[copies]]])
    share = copies.size / len(codes)
    some = pairs[:, :MAX_LISTED]
    ids = zip(checked.ids(some[0]), checked.ids(some[1]), strict=True)
    listed = tuple(Finding.of("checks.pair", one=x, other=y) for x, y in ids)
    outcome = "failed" if share > most else "tolerated" if copies.size else "passed"
    return Check(
        name="duplicates",
        roles=(role,),
        severity="warning",
        passed=share <= most,
        measured=share,
        threshold=most,
        finding=Finding.of(f"checks.duplicates_{outcome}", most=most, **part(copies.size, len(codes))),
        examples=side_by_side(checked, checked, pairs, listed[:MAX_EXAMPLES]),
        listed=listed,
    )


def _sizes(role: str, checked: CheckedSet) -> Check:
    sizes = checked.table.sizes().most_common()
    return Check(
        name="sizes",
        roles=(role,),
        severity="warning",
        passed=len(sizes) == 1,
        measured=len(sizes),
        threshold=1,
        finding=Finding.of(f"checks.sizes_{'passed' if len(sizes) == 1 else 'failed'}", sizes=len(sizes)),
        listed=tuple(Finding.of("checks.size_item", width=w, height=h, n=n) for (w, h), n in sizes[:MAX_LISTED]),
        unit="count",
    )

"""Checks of what is labelled: classes that the benchmark scores and a training set cannot, or hardly, teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.datasets.checks.model import MAX_LISTED, Check, names_text
from tasks.datasets.config import ChecksConfig
from tasks.datasets.table import SampleTable

_BOXES_FROM = {
    "annotated": "annotations",
    "instances": "the visible pixels of each object",
    "components": "connected pixels of a class, where objects that touch are one",
}


@dataclass(frozen=True)
class _ClassCounts:
    """Of each class, in how many images it is, and how many pixels or boxes it has, ``int64 [C]``."""

    images: NDArray[np.int64]
    amount: NDArray[np.int64]


def class_checks(role: str, training: SampleTable, benchmark: SampleTable, config: ChecksConfig) -> list[Check]:
    """The segmentation classes of a training set beside the benchmark's; none where either has no masks."""
    if training.info.encoding is None or benchmark.info.encoding is None:
        return []
    names = [c.name for c in training.info.classes]
    ours, theirs = _pixels(training), _pixels(benchmark)
    kind = _Kind("class", role, names, training.info.impossible)
    checks = kind.checks(ours, theirs, config.class_images)
    return [*checks, _ratio(kind, ours, theirs, config)]


def box_checks(role: str, training: SampleTable, benchmark: SampleTable, config: ChecksConfig) -> list[Check]:
    """The detection classes of a training set beside the benchmark's; none where either has no boxes."""
    if not training.info.has_boxes or not benchmark.info.has_boxes:
        return []
    kind = _Kind("box", role, list(training.info.detection), training.info.impossible_boxes)
    checks = kind.checks(_boxes(training), _boxes(benchmark), config.class_images)
    return [*checks, _rule(role, training, benchmark)]


@dataclass(frozen=True)
class _Kind:
    """Segmentation or detection classes of a training set.

    Attributes:
        prefix: of the checks' names.
        role: the checks' role.
        names: the classes.
        impossible: those that the set's labels cannot have.
    """

    prefix: Literal["class", "box"]
    role: str
    names: Sequence[str]
    impossible: Sequence[str]

    def checks(self, ours: _ClassCounts, theirs: _ClassCounts, fewest: int) -> list[Check]:
        """Which classes of the benchmark (``theirs``) are not, or hardly, in the training set (``ours``)."""
        training = self.role.split(" / ")[0]
        scored = theirs.images > 0
        cannot = scored & np.isin(self.names, self.impossible)
        missing = scored & ~cannot & (ours.images == 0)
        rare = scored & ~cannot & (ours.images > 0) & (ours.images < fewest)
        of = f"of the {scored.sum()} {'classes' if self.prefix == 'class' else 'classes of boxes'} in the benchmark"
        images = [f"{name}, images: {n}" for name, n in zip(self.names, ours.images.tolist(), strict=True)]
        return [
            self._check(
                "impossible",
                cannot,
                self.names,
                f"The {training} can have labels of all {of}.",
                f"The {training} cannot have labels of {{}} {of}: alone it does not teach them, and evaluate.classes = "
                "shared leaves them out of the means.",
            ),
            self._check(
                "missing",
                missing,
                self.names,
                f"The {training} shows all it can {of}.",
                f"No image of the {training} shows {{}} {of}: take more images, or other ones.",
            ),
            self._check(
                "rare",
                rare,
                images,
                f"In the {training}, {fewest} images or more show each class that it shows at all.",
                f"Fewer than {fewest} images of the {training} show {{}} {of}: take more, or choose them stratified.",
            ),
        ]

    def _check(self, name: str, found: NDArray[np.bool_], lines: Sequence[str], good: str, bad: str) -> Check:
        """A warning of the classes found; in ``bad``, ``{}`` stands for how many these are, and which."""
        where = np.flatnonzero(found).tolist()
        which = f"{len(where)} ({names_text(self.names[i] for i in where)})"
        return Check(
            name=f"{self.prefix}_{name}",
            role=self.role,
            severity="warning",
            passed=not where,
            measured=len(where),
            threshold=0,
            message=bad.format(which) if where else good,
            listed=tuple(lines[i] for i in where[:MAX_LISTED]),
            unit="count",
        )


def _ratio(kind: _Kind, ours: _ClassCounts, theirs: _ClassCounts, config: ChecksConfig) -> Check:
    """Classes with far fewer pixels than in the benchmark; those that hardly an image shows are ``rare`` already."""
    compared = (theirs.images > 0) & (ours.images >= config.class_images)
    share, wanted = (c.amount / max(c.amount.sum(), 1) for c in (ours, theirs))
    times = np.divide(wanted, share, out=np.zeros(len(share)), where=compared)
    worst = np.argsort(-times)
    listed = [i for i in worst.tolist() if times[i] > config.class_ratio]
    training = kind.role.split(" / ")[0]
    least = f"{config.class_ratio:g} times"
    message = f"No class has more than {least} fewer pixels in the {training} than in the benchmark."
    if listed:
        names = names_text(f"{kind.names[i]} {times[i]:.0f} times" for i in listed)
        message = (
            f"More than {least} fewer pixels in the {training} than in the benchmark for {len(listed)} of "
            f"{compared.sum()} classes ({names}): expect little of them, or add images."
        )
    return Check(
        name="class_ratio",
        role=kind.role,
        severity="warning",
        passed=not listed,
        measured=float(times.max(initial=0)),
        threshold=config.class_ratio,
        message=message,
        listed=tuple(
            f"{kind.names[i]}: {100 * share[i]:.3g} % of the pixels, {100 * wanted[i]:.3g} % in the benchmark"
            for i in listed[:MAX_LISTED]
        ),
        unit="times",
    )


def _rule(role: str, training: SampleTable, benchmark: SampleTable) -> Check:
    ours, theirs = training.info.boxes_from, benchmark.info.boxes_from
    assert ours is not None
    assert theirs is not None
    name = role.split(" / ")[0]
    message = f"The boxes of both come from {_BOXES_FROM[ours]}."
    if ours != theirs:
        message = (
            f"The boxes of the {name} come from {_BOXES_FROM[ours]}, the benchmark's from {_BOXES_FROM[theirs]}: "
            "compare detection only between arms under the same rule."
        )
    return Check(
        name="box_rule",
        role=role,
        severity="warning",
        passed=ours == theirs,
        measured=int(ours != theirs),
        threshold=0,
        message=message,
        unit="count",
    )


def _pixels(table: SampleTable) -> _ClassCounts:
    column = table.rows["class_pixels"].combine_chunks()
    pixels = pc.list_flatten(column).to_numpy().reshape(-1, len(table.info.classes))
    return _ClassCounts((pixels > 0).sum(axis=0), pixels.sum(axis=0, dtype=np.int64))


def _boxes(table: SampleTable) -> _ClassCounts:
    """Without groups of objects (``crowd``), which no training counts as objects."""
    column = table.rows["boxes"].combine_chunks()
    flat, rows = pc.list_flatten(column), pc.list_parent_indices(column).to_numpy()
    single = ~pc.struct_field(flat, "crowd").to_numpy(zero_copy_only=False)
    categories = pc.struct_field(flat, "category").to_numpy()[single].astype(np.int64)
    shown = np.zeros((len(table), len(table.info.detection)), bool)
    shown[rows[single], categories] = True
    return _ClassCounts(shown.sum(axis=0), np.bincount(categories, minlength=shown.shape[1]))

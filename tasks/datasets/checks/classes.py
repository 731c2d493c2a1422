"""Checks of what is labelled: classes that the benchmark scores and a training set cannot, or hardly, teach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.contracts import Check, Finding
from tasks.datasets.checks.model import MAX_LISTED, items, looked, role_told
from tasks.datasets.config import ChecksConfig
from tasks.datasets.table import SampleTable


@dataclass(frozen=True)
class _ClassCounts:
    """Of each class, in how many images it is, and how many pixels or boxes it has, ``int64 [C]``."""

    images: NDArray[np.int64]
    amount: NDArray[np.int64]


def class_checks(
    roles: tuple[str, str], training: SampleTable, benchmark: SampleTable, config: ChecksConfig
) -> list[Check]:
    """The segmentation classes of a training set beside the benchmark's; none where either has no masks."""
    if training.info.encoding is None or benchmark.info.encoding is None:
        return []
    names = [c.name for c in training.info.classes]
    ours, theirs = _pixels(training), _pixels(benchmark)
    kind = _Kind("class", roles, names, training.info.impossible)
    checks = kind.checks(ours, theirs, config.class_images)
    return [*checks, _ratio(kind, ours, theirs, config)]


def box_checks(
    roles: tuple[str, str], training: SampleTable, benchmark: SampleTable, config: ChecksConfig
) -> list[Check]:
    """The detection classes of a training set beside the benchmark's; none where either has no boxes."""
    if not training.info.has_boxes or not benchmark.info.has_boxes:
        return []
    kind = _Kind("box", roles, list(training.info.detection), training.info.impossible_boxes)
    checks = kind.checks(_boxes(training), _boxes(benchmark), config.class_images)
    return [*checks, _rule(roles, training, benchmark)]


@dataclass(frozen=True)
class _Kind:
    """Segmentation or detection classes of a training set.

    Attributes:
        prefix: of the checks' names.
        roles: the checks' roles.
        names: the classes.
        impossible: those that the set's labels cannot have.
    """

    prefix: Literal["class", "box"]
    roles: tuple[str, str]
    names: Sequence[str]
    impossible: Sequence[str]

    def checks(self, ours: _ClassCounts, theirs: _ClassCounts, fewest: int) -> list[Check]:
        """Which classes of the benchmark (``theirs``) are not, or hardly, in the training set (``ours``)."""
        scored = theirs.images > 0
        cannot = scored & np.isin(self.names, self.impossible)
        missing = scored & ~cannot & (ours.images == 0)
        rare = scored & ~cannot & (ours.images > 0) & (ours.images < fewest)
        counts = zip(self.names, ours.images.tolist(), strict=True)
        images = tuple(Finding.of("checks.images_item", name=name, n=n) for name, n in counts)
        found = (("impossible", cannot, items(self.names)), ("missing", missing, items(self.names)))
        return [
            self._check(name, where, lines, int(scored.sum()), fewest)
            for name, where, lines in (*found, ("rare", rare, images))
        ]

    def _check(self, name: str, found: NDArray[np.bool_], lines: Sequence[Finding], scored: int, fewest: int) -> Check:
        """A warning of the classes found, of those that are ``scored``."""
        where = np.flatnonzero(found).tolist()
        check = Check(
            name=f"{self.prefix}_{name}",
            roles=self.roles,
            severity="warning",
            passed=not where,
            measured=len(where),
            threshold=0,
            finding=Finding.of(
                f"checks.{self.prefix}_{name}_{'failed' if where else 'passed'}",
                training=role_told(self.roles[0]),
                found=len(where),
                names=tuple(self.names[i] for i in where),
                scored=scored,
                fewest=fewest,
            ),
            listed=tuple(lines[i] for i in where[:MAX_LISTED]),
            unit="count",
        )
        return looked(check, scored, "classes")


def _ratio(kind: _Kind, ours: _ClassCounts, theirs: _ClassCounts, config: ChecksConfig) -> Check:
    """Classes with far fewer pixels than in the benchmark; those that hardly an image shows are ``rare`` already."""
    compared = (theirs.images > 0) & (ours.images >= config.class_images)
    share, wanted = (c.amount / max(c.amount.sum(), 1) for c in (ours, theirs))
    times = np.divide(wanted, share, out=np.zeros(len(share)), where=compared)
    worst = np.argsort(-times)
    listed = [i for i in worst.tolist() if times[i] > config.class_ratio]
    check = Check(
        name="class_ratio",
        roles=kind.roles,
        severity="warning",
        passed=not listed,
        measured=float(times.max(initial=0)),
        threshold=config.class_ratio,
        finding=Finding.of(
            f"checks.class_ratio_{'failed' if listed else 'passed'}",
            training=role_told(kind.roles[0]),
            most=config.class_ratio,
            found=len(listed),
            compared=int(compared.sum()),
            names=tuple(Finding.of("checks.times_item", name=kind.names[i], times=float(times[i])) for i in listed),
        ),
        listed=tuple(
            Finding.of(
                "checks.ratio_item", name=kind.names[i], ours=float(100 * share[i]), theirs=float(100 * wanted[i])
            )
            for i in listed[:MAX_LISTED]
        ),
        unit="times",
    )
    return looked(check, int(compared.sum()), "classes")


def _rule(roles: tuple[str, str], training: SampleTable, benchmark: SampleTable) -> Check:
    ours, theirs = training.info.boxes_from, benchmark.info.boxes_from
    assert ours is not None
    assert theirs is not None
    rules = {"ours": Finding.of(f"checks.boxes_{ours}"), "theirs": Finding.of(f"checks.boxes_{theirs}")}
    code = f"checks.box_rule_{'passed' if ours == theirs else 'failed'}"
    return Check(
        name="box_rule",
        roles=roles,
        severity="warning",
        passed=ours == theirs,
        measured=int(ours != theirs),
        threshold=0,
        finding=Finding.of(code, training=role_told(roles[0]), **rules),
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

"""From measurements to checks: a measure against its threshold, with what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.flips import FlipsFound
from tasks.contracts import (
    DETAIL_PARTS,
    AuditCheck,
    ClassFlips,
    Detail,
    DetailPart,
    Distance,
    Finding,
    Gap,
    Measure,
    Recall,
    Severity,
    Subject,
    Unit,
)
from tasks.evaluate import LEAST_IMAGES

MAX_LISTED = 12
LEAST_SHARE = 0.0005  # of all pixels read rightly: a class with less says nothing
NOTICEABLE = 2.3  # just noticeable difference in CIELAB (Mahy et al., Color Research and Application, 1994)
_TINY = 1e-6  # of a distance: rounding


def rank(checks: Iterable[AuditCheck]) -> tuple[AuditCheck, ...]:
    """Failed errors first, then failed warnings, then what passed; within each, by how far over the threshold.

    Shares end at 1 and ratios nowhere, so that symptoms would hide their causes. Therefore the colour of a class whose
    flips or detail failed comes after these at the earliest, and failed distances, which sum up all that is wrong
    without saying where, come after the other failed warnings.
    """
    checks = tuple(checks)
    causes: dict[str | None, float] = {}
    for c in checks:
        if c.measure in ("flips", "detail") and not c.passed:
            of = c.subject.class_name
            causes[of] = max(c.excess, causes.get(of, 0))

    def place(c: AuditCheck) -> tuple[bool, bool, bool, float, bool]:
        failed, of = not c.passed, c.subject.class_name
        symptom = failed and c.measure == "colour" and of in causes
        excess = min(c.excess, causes[of]) if symptom else c.excess
        return c.passed, failed and c.severity != "error", failed and c.measure == "distance", -excess, symptom

    return tuple(sorted(checks, key=place))


def doubted(checks: Iterable[AuditCheck]) -> list[AuditCheck]:
    """The same where the judge cannot be trusted: flips are warnings at most."""
    judged = ("flips", "flipped_images")
    return [c.model_copy(update={"severity": "warning"}) if c.measure in judged else c for c in checks]


def decidable(checks: Iterable[AuditCheck], images: int) -> tuple[list[AuditCheck], int]:
    """Those that were measured on enough images to say anything, and how many were not: these are told, not judged.

    Args:
        images: how many translated images there are, for checks that do not say.
    """
    checks = list(checks)
    enough = [c for c in checks if (images if c.images is None else c.images) >= LEAST_IMAGES]
    return enough, len(checks) - len(enough)


def flips_checks(found: FlipsFound, config: AuditConfig) -> list[AuditCheck]:
    """Flips of all pixels and of each class, and how many images are too flipped to be trained on.

    None where the judge read nothing rightly. Classes of under ``LEAST_SHARE`` of what it read rightly are left out.
    """
    share = found.flips.share.value
    if share is None:
        return []
    most = config.thresholds.flips_error
    everything = _check(
        "flips",
        Subject(),
        ("error", "share"),
        (share, most),
        _all_flipped(share, found.flips.real_miou),
        Finding.of("audits.advice_flips_all", most=most),
        _worst(found.ids, found.share),
        images=_read(found),
    )
    return [everything, _flipped_images(found, config), *_class_flips(found, config.thresholds)]


def _all_flipped(share: float, miou: float | None) -> Finding:
    """With the judge's own score on the benchmark, where there is one: a flip is no more than what it says."""
    if miou is None:
        return Finding.of("audits.found_flips_all", share=share)
    return Finding.of("audits.found_flips_all_judged", share=share, miou=100 * miou)


def _flipped_images(found: FlipsFound, config: AuditConfig) -> AuditCheck:
    over = found.share > config.thresholds.flipped_image
    counts = {"over": int(over.sum()), "images": len(over), "least": config.thresholds.flipped_image}
    return _check(
        "flipped_images",
        Subject(),
        ("error", "share"),
        (float(over.mean()), config.thresholds.flipped_images),
        Finding.of(f"audits.found_flipped_images_{config.on_fail if over.any() else 'kept'}", **counts),
        Finding.of("audits.advice_flipped_images"),
        _worst(found.ids, np.where(over, found.share, 0)),
        images=_read(found),
    )


def _read(found: FlipsFound) -> int:
    """In how many images the judge read anything rightly."""
    return int(np.count_nonzero(found.per_class.any(axis=(1, 2))))


def _class_flips(found: FlipsFound, thresholds: Thresholds) -> list[AuditCheck]:
    total = sum(c.pixels for c in found.flips.classes)
    return [
        _check(
            "flips",
            Subject(class_name=flipped.name, becomes=next(iter(flipped.to), None)),
            ("warning", "share"),
            (flipped.rate.value, thresholds.flips),
            _read_as(flipped, flipped.rate.value),
            Finding.of("audits.advice_flips"),
            _worst(found.ids, found.per_class[:, k].sum(1) - found.per_class[:, k, k]),
            images=int(np.count_nonzero(found.per_class[:, k].any(axis=1))),
        )
        for k, flipped in enumerate(found.flips.classes)
        if flipped.rate.value is not None and flipped.pixels >= LEAST_SHARE * total
    ]


def _read_as(flipped: ClassFlips, share: float) -> Finding:
    if not flipped.to:
        return Finding.of("audits.found_flips", share=share, name=flipped.name)
    to, to_share = next(iter(flipped.to.items()))
    return Finding.of("audits.found_flips_to", share=share, name=flipped.name, to=to, to_share=to_share)


def detail_checks(
    details: Iterable[Detail], worst: Mapping[str, Sequence[str]], thresholds: Thresholds
) -> list[AuditCheck]:
    """Gradients, edges and high band lost in the image and inside each thin class; ``worst`` are images by region."""
    return [
        _check(
            "detail",
            Subject(class_name=None if detail.region == "image" else detail.region, part=part),
            ("warning", "share"),
            (1 - kept, thresholds.detail),
            _lost(detail.region, part, 1 - kept),
            Finding.of("audits.advice_detail"),
            worst.get(detail.region, ()),
            images=detail.images,
        )
        for detail in details
        for part in DETAIL_PARTS
        if (kept := getattr(detail, part).value) is not None
    ]


def _lost(region: str, part: DetailPart, share: float) -> Finding:
    if region == "image":
        return Finding.of(f"audits.found_{part}_image", share=share)
    return Finding.of(f"audits.found_{part}", share=share, name=region)


def recall_checks(recalls: Iterable[Recall], thresholds: Thresholds) -> list[AuditCheck]:
    """Recall that the frozen detector lost on boxes of each size."""
    return [
        _check(
            "recall",
            Subject(size=recall.size),
            ("warning", "share"),
            (before - after, thresholds.recall),
            Finding.of(f"audits.found_recall_{recall.size}", boxes=recall.boxes, before=before, after=after),
            Finding.of("audits.advice_recall"),
        )
        for recall in recalls
        if (before := recall.before.value) is not None and (after := recall.after.value) is not None
    ]


def colour_checks(
    gap: Gap, worst: Callable[[Sequence[str]], Mapping[str, Sequence[str]]], thresholds: Thresholds
) -> list[AuditCheck]:
    """How much farther from the real set each class's colour is; none of classes that a set hardly shows.

    Distances count as ``NOTICEABLE`` at least, so that a colour that nobody can tell from the real one passes, however
    often its distance was multiplied.

    Args:
        gap: what was measured.
        worst: asked for the images by class, of the classes that did not pass.
        thresholds: what is tolerated.
    """
    times = {
        c.name: max(c.colour_after, NOTICEABLE) / max(c.colour_before, NOTICEABLE)
        for c in gap.classes
        if c.colour_before is not None and c.colour_after is not None
    }
    failed = [name for name, ratio in times.items() if ratio > thresholds.colour]
    listed = worst(failed) if failed else {}
    return [
        _check(
            "colour",
            Subject(class_name=c.name),
            ("warning", "times"),
            (times[c.name], thresholds.colour),
            Finding.of("audits.found_colour", name=c.name, before=c.colour_before, after=c.colour_after),
            Finding.of("audits.advice_colour"),
            listed.get(c.name, ()),
        )
        for c in gap.classes
        if c.name in times
    ]


def distance_checks(distances: Iterable[Distance], thresholds: Thresholds) -> list[AuditCheck]:
    """How much farther from the real set the images are.

    Distances count as their floor's size at least: two halves of the real set are so far apart by chance.
    """
    checks = []
    for d in distances:
        least = max(abs(d.floor or 0), _TINY)
        checks.append(
            _check(
                "distance",
                Subject(distance=d.name),
                ("warning", "times"),
                (max(d.after, least) / max(d.before, least), thresholds.distance),
                _apart(d),
                Finding.of("audits.advice_distance"),
                images=min(d.images),
            )
        )
    return checks


def _apart(d: Distance) -> Finding:
    if d.floor is None:
        return Finding.of("audits.found_distance", name=d.name, before=d.before, after=d.after)
    return Finding.of("audits.found_distance_floor", name=d.name, before=d.before, after=d.after, floor=d.floor)


def geometry_checks(ids: Sequence[str], shift: NDArray[np.floating], thresholds: Thresholds) -> list[AuditCheck]:
    """The median displacement ``[N]`` of images in pixels; NaN where it was not measured."""
    if np.isnan(shift).all():
        return []
    median = float(np.nanmedian(shift))
    return [
        _check(
            "geometry",
            Subject(),
            ("error", "px"),
            (median, thresholds.geometry),
            Finding.of("audits.found_geometry", shift=median),
            Finding.of("audits.advice_geometry"),
            _worst(ids, np.where(shift > thresholds.geometry, shift, 0)),
            images=int(np.count_nonzero(~np.isnan(shift))),
        )
    ]


def _check(
    measure: Measure,
    subject: Subject,
    kind: tuple[Severity, Unit],
    values: tuple[float, float],
    found: Finding,
    advice: Finding,
    listed: Sequence[str] = (),
    *,
    images: int | None = None,
) -> AuditCheck:
    """A check of (measured, threshold); the advice is for where it did not pass."""
    measured, threshold = values
    passed = measured <= threshold
    return AuditCheck(
        measure=measure,
        subject=subject,
        severity=kind[0],
        unit=kind[1],
        passed=passed,
        measured=measured,
        threshold=threshold,
        found=found,
        advice=None if passed else advice,
        listed=tuple(listed)[:MAX_LISTED],
        images=images,
    )


def _worst(ids: Sequence[str], values: NDArray[np.floating] | NDArray[np.int64]) -> tuple[str, ...]:
    """The ids of the largest values above 0, the largest first."""
    order = np.argsort(-values, kind="stable")[:MAX_LISTED].tolist()
    return tuple(ids[i] for i in order if values[i] > 0)

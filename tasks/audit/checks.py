"""From measurements to checks: a measure against its threshold, and a sentence on what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.flips import FlipsFound
from tasks.contracts import AuditCheck, Detail, Distance, Gap, Recall, Severity, Unit

MAX_LISTED = 12
LEAST_SHARE = 0.0005  # of all pixels read rightly: a class with less says nothing
NOTICEABLE = 2.3  # just noticeable difference in CIELAB (Mahy et al., Color Research and Application, 1994)
_TINY = 1e-6  # of a distance: rounding
_ACTS = {
    "drop": "they are left out of the training",
    "keep_source": "the source's images are trained on instead",
    "stop": "the run ends before retraining",
}
_PARTS = {"gradient": "gradients", "edges": "edges", "high_band": "high band"}


def rank(checks: Iterable[AuditCheck]) -> tuple[AuditCheck, ...]:
    """Failed errors first, then failed warnings, then what passed; within each, by how far over the threshold.

    Shares end at 1 and ratios nowhere, so that symptoms would hide their causes. Therefore the colour of a class whose
    flips or detail failed comes after these at the earliest, and failed distances, which sum up all that is wrong
    without saying where, come after the other failed warnings.
    """
    checks = tuple(checks)
    causes: dict[str, float] = {}
    for c in checks:
        if c.name in ("flips", "detail") and not c.passed:
            of = c.subject.split(" -> ")[0].split(": ")[0]
            causes[of] = max(c.excess, causes.get(of, 0))

    def place(c: AuditCheck) -> tuple[bool, bool, bool, float, bool]:
        symptom = c.name == "colour" and not c.passed and c.subject in causes
        excess = min(c.excess, causes[c.subject]) if symptom else c.excess
        return c.passed, not c.passed and c.severity != "error", not c.passed and c.name == "distance", -excess, symptom

    return tuple(sorted(checks, key=place))


def doubted(checks: Iterable[AuditCheck]) -> list[AuditCheck]:
    """The same where the judge cannot be trusted: flips are warnings at most."""
    judged = ("flips", "flipped images")
    return [c.model_copy(update={"severity": "warning"}) if c.name in judged else c for c in checks]


def flips_checks(found: FlipsFound, config: AuditConfig) -> list[AuditCheck]:
    """Flips of all pixels and of each class, and how many images are too flipped to be trained on.

    None where the judge read nothing rightly. Classes of under ``LEAST_SHARE`` of what it read rightly are left out.
    """
    share = found.flips.share.value
    if share is None:
        return []
    message = (
        f"{percent(share)} of the pixels that the judge reads rightly in the source are of another class afterwards"
    )
    everything = _check(
        "flips",
        "all classes",
        ("error", "share"),
        (share, config.thresholds.flips_error),
        message,
        f", over {percent(config.thresholds.flips_error)}: labels no longer fit, so train or choose another translator",
        _worst(found.ids, found.share),
    )
    return [everything, _flipped_images(found, config), *_class_flips(found, config.thresholds)]


def _flipped_images(found: FlipsFound, config: AuditConfig) -> AuditCheck:
    over = found.share > config.thresholds.flipped_image
    least = percent(config.thresholds.flipped_image)
    message = f"{over.sum()} of {len(over)} images have more than {least} of their pixels flipped"
    return _check(
        "flipped images",
        "images",
        ("error", "share"),
        (float(over.mean()), config.thresholds.flipped_images),
        f"{message}: {_ACTS[config.on_fail]}" if over.any() else message,
        "; that is too many, so train or choose another translator",
        _worst(found.ids, np.where(over, found.share, 0)),
    )


def _class_flips(found: FlipsFound, thresholds: Thresholds) -> list[AuditCheck]:
    checks = []
    total = sum(c.pixels for c in found.flips.classes)
    for k, flipped in enumerate(found.flips.classes):
        if flipped.rate.value is None or flipped.pixels < LEAST_SHARE * total:
            continue
        main = next(iter(flipped.to), None)
        row = found.per_class[:, k]
        message = f"{percent(flipped.rate.value)} of {flipped.name} is read as another class after translation"
        checks.append(
            _check(
                "flips",
                flipped.name if main is None else f"{flipped.name} -> {main}",
                ("warning", "share"),
                (flipped.rate.value, thresholds.flips),
                message if main is None else f"{message}, {percent(flipped.to[main])} as {main}",
                ": look whether the images listed still show what their labels say, and take another translator if not",
                _worst(found.ids, row.sum(1) - row[:, k]),
            )
        )
    return checks


def detail_checks(
    details: Iterable[Detail], worst: Mapping[str, Sequence[str]], thresholds: Thresholds
) -> list[AuditCheck]:
    """Gradients, edges and high band lost in the image and inside each thin class; ``worst`` are images by region."""
    return [
        _check(
            "detail",
            f"{detail.region}: {words}",
            ("warning", "share"),
            (1 - kept, thresholds.detail),
            f"{percent(1 - kept)} of the {words} of {'the image' if detail.region == 'image' else detail.region} "
            f"{'is' if words == 'high band' else 'are'} lost",
            ": look at the images listed, and translate at full resolution or train with larger crops",
            worst.get(detail.region, ()),
        )
        for detail in details
        for part, words in _PARTS.items()
        if (kept := getattr(detail, part).value) is not None
    ]


def recall_checks(recalls: Iterable[Recall], thresholds: Thresholds) -> list[AuditCheck]:
    """Recall that the frozen detector lost on boxes of each size."""
    return [
        _check(
            "recall",
            recall.size,
            ("warning", "share"),
            (before - after, thresholds.recall),
            f"The judge finds {percent(after)} of {recall.boxes} {'' if recall.size == 'all' else f'{recall.size} '}"
            f"boxes after translation, {percent(before)} before",
            ": objects fade or change, so look at boxes that are found before only",
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
            c.name,
            ("warning", "times"),
            (times[c.name], thresholds.colour),
            f"The colour of {c.name} is {c.colour_after:.1f} (CIELAB) from the real set's after translation, "
            f"{c.colour_before:.1f} before",
            ": the translator paints it as something else, so look at the images listed",
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
        words = f"{d.name} to the real set is {d.after:.3g} after translation, {d.before:.3g} before"
        checks.append(
            _check(
                "distance",
                d.name,
                ("warning", "times"),
                (max(d.after, least) / max(d.before, least), thresholds.distance),
                words if d.floor is None else f"{words}, and {d.floor:.3g} between halves of the real set",
                ": translation brings the source no nearer, so train longer or choose another translator",
            )
        )
    return checks


def geometry_checks(ids: Sequence[str], shift: NDArray[np.floating], thresholds: Thresholds) -> list[AuditCheck]:
    """The median displacement ``[N]`` of images in pixels; NaN where it was not measured."""
    if np.isnan(shift).all():
        return []
    return [
        _check(
            "geometry",
            "image",
            ("error", "px"),
            (float(np.nanmedian(shift)), thresholds.geometry),
            f"The median image is displaced by {np.nanmedian(shift):.2g} px",
            ": no label fits its image any more, so look at how the translator pads, resizes or warps",
            _worst(ids, np.where(shift > thresholds.geometry, shift, 0)),
        )
    ]


def _check(
    name: str,
    subject: str,
    kind: tuple[Severity, Unit],
    values: tuple[float, float],
    message: str,
    advice: str,
    listed: Sequence[str] = (),
) -> AuditCheck:
    """A check of (measured, threshold); the sentence goes on with the advice where it did not pass."""
    measured, threshold = values
    passed = measured <= threshold
    return AuditCheck(
        name=name,
        subject=subject,
        severity=kind[0],
        unit=kind[1],
        passed=passed,
        measured=measured,
        threshold=threshold,
        message=f"{message}{'' if passed else advice}.",
        listed=tuple(listed)[:MAX_LISTED],
    )


def _worst(ids: Sequence[str], values: NDArray[np.floating] | NDArray[np.int64]) -> tuple[str, ...]:
    """The ids of the largest values above 0, the largest first."""
    order = np.argsort(-values, kind="stable")[:MAX_LISTED].tolist()
    return tuple(ids[i] for i in order if values[i] > 0)


def percent(share: float) -> str:
    """A share as people read it: three digits, no exponent."""
    return f"{100 * share:.1f} %" if share < 0.9995 or share > 1.0005 else "100 %"

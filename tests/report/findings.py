"""Comparisons and audits as the evaluation leaves them, for the report's tests: made of the real records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np

from tasks.audit import checks
from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.flips import FlipsFound
from tasks.contracts.audit import (
    Acted,
    Audit,
    ClassFlips,
    ClassGap,
    Detail,
    Distance,
    Domain,
    DomainMap,
    Flips,
    Gap,
    MapPoint,
    Rate,
    Recall,
)
from tasks.contracts.audit_check import AuditCheck, Subject
from tasks.contracts.comparison import (
    ArmDifference,
    ArmScores,
    Clusters,
    Comparison,
    Difference,
    Missing,
    Needs,
    Note,
    Outcome,
    Slice,
    TaskComparison,
)
from tasks.contracts.estimate import Estimate
from tasks.contracts.finding import Finding
from tasks.contracts.task import Task

Arms = Mapping[tuple[Task, str, int], float | None]


def difference(
    value: float, low: float, high: float, outcome: Outcome, needs: Needs | None = None, sign_flip: float | None = None
) -> Difference:
    """A difference given in points."""
    ends = {"value": value / 100, "low": low / 100, "high": high / 100}
    return Difference(**ends, outcome=outcome, needs=needs, sign_flip=sign_flip)


def compared(
    arms: Arms,
    changes: Mapping[tuple[str, str], Difference],
    classes: Mapping[str, float | None] | None = None,
    class_changes: Mapping[str, Difference] | None = None,
    missing: Sequence[tuple[str, int]] = (),
    notes: Sequence[Note] = (),
    clusters: Clusters | None = None,
    slices: Sequence[Slice] = (),
) -> Comparison:
    """The comparison of a run: intervals of 2 points to either side of each score, the given differences.

    Args:
        arms: task, arm and seed -> score, as the run has them.
        changes: arm and what it is compared with -> difference of the first metric (by_seed is filled in).
        classes: class -> score, the same of all arms. class_changes: class -> difference, the same of all pairs.
    """
    tasks = dict.fromkeys(task for task, _, _ in arms)
    found = (_task(t, arms, changes, classes or {}, class_changes or {}, missing, notes) for t in tasks)
    more = {"clusters": clusters, "slices": tuple(slices)}
    return Comparison(tasks=tuple(of.model_copy(update=more) for of in found))


def _task(
    task: Task,
    arms: Arms,
    changes: Mapping[tuple[str, str], Difference],
    classes: Mapping[str, float | None],
    class_changes: Mapping[str, Difference],
    missing: Sequence[tuple[str, int]],
    notes: Sequence[Note],
) -> TaskComparison:
    metric = "mIoU" if task == "segmentation" else "mAP"
    scores: dict[str, dict[int, float]] = {}
    for (of, arm, seed), score in arms.items():
        if of == task and score is not None:
            scores.setdefault(arm, {})[seed] = score

    def change(arm: str, against: str, found: Difference) -> ArmDifference:
        seeds = tuple(sorted(scores[arm].keys() & scores[against].keys()))
        by_seed = {seed: scores[arm][seed] - scores[against][seed] for seed in seeds}
        metrics = {metric: found.model_copy(update={"by_seed": by_seed})}
        if task == "detection":
            metrics["AP50"] = found
        return ArmDifference(arm=arm, against=against, seeds=seeds, metrics=metrics, classes=dict(class_changes))

    def of(arm: str, seeds: dict[int, float]) -> ArmScores:
        named = {name: estimate(score) for name, score in classes.items()}
        metrics = {metric: estimate(fmean(seeds.values()))}
        if task == "detection":
            metrics["AP50"] = estimate(1.5 * fmean(seeds.values()))
        return ArmScores(arm=arm, seeds=tuple(seeds), images=233, metrics=metrics, classes=named)

    return TaskComparison(
        task=task,
        metric=metric,
        images=233,
        resamples=2000,
        margin=0.005,
        arms=tuple(of(arm, seeds) for arm, seeds in scores.items()),
        differences=tuple(change(*pair, d) for pair, d in changes.items() if {*pair} <= scores.keys()),
        missing=tuple(Missing(arm=arm, seed=seed) for arm, seed in missing),
        notes=tuple(notes),
    )


def estimate(value: float | None) -> Estimate:
    """A score with an interval of 2 points to either side."""
    return (
        Estimate(value=value) if value is None else Estimate(value=value, low=max(value - 0.02, 0), high=value + 0.02)
    )


def rate(value: float | None, half: float = 0.01) -> Rate:
    """A share with an interval of so much to either side."""
    return Rate(value=value) if value is None else Rate(value=value, low=max(value - half, 0), high=value + half)


def audit(
    name: str = "cut",
    classes: Sequence[str] = ("Sky", "Building", "Pole"),
    checks: Iterable[AuditCheck] | None = None,
    judged: bool = True,
    acted: Sequence[Acted] = (),
    images: int = 250,
) -> Audit:
    """The audit of a translated set; with ``judged=False`` what is left where no judge could be trained."""
    return Audit(
        translator=name,
        images=images,
        checks=tuple(_checks(classes) if checks is None else checks),
        flips=_flips(classes) if judged else None,
        detail=(
            Detail(region="image", images=250, gradient=rate(0.912), edges=rate(0.64), high_band=rate(0.43)),
            Detail(region=classes[-1], images=120, gradient=rate(0.81), edges=rate(0.52), high_band=rate(None)),
            Detail(region="Train", images=0, gradient=rate(None), edges=rate(None), high_band=rate(None)),
        ),
        recall=_recall() if judged else (),
        distances=(
            Distance(name="FD_seg", before=812.4, after=402.7, floor=51.3, images=(250, 250)),
            Distance(name="KD_seg", before=0.0412, after=0.0117, floor=None, images=(250, 250)),
        ),
        gap=_gap(classes) if judged else None,
        map=_map() if judged else None,
        acted=tuple(acted),
        notes=() if judged else (Finding.of("audits.note_flips"),),
    )


LIMITS = ("flips", "flips_error", "flipped_image", "flipped_images", "detail", "recall")
LOOSE = {**dict.fromkeys(("colour", "geometry", "distance"), 99.0), **dict.fromkeys(LIMITS, 1.0)}
STRICT = dict.fromkeys(LOOSE, 0.001)


def every_check(thresholds: Mapping[str, float], on_fail: str = "drop") -> list[AuditCheck]:
    """All checks of an audit, made by the audit's own code: of every measure, subject and wording."""
    config = AuditConfig(thresholds=Thresholds(**thresholds), on_fail=on_fail)  # type: ignore[arg-type]
    found, limits = audit(checks=()), config.thresholds
    assert found.flips
    assert found.gap
    lost = ClassFlips(name="Kerb", pixels=500_000, rate=rate(1.0), to={})
    flips = found.flips.model_copy(update={"classes": (*found.flips.classes, lost)})
    judged = FlipsFound(flips, ("a", "b", "c"), np.array([0.4, 0.01, 0.0]), np.ones((3, 4, 4), np.int64))
    return [
        *checks.flips_checks(judged, config),
        *checks.detail_checks(found.detail, {}, limits),
        *checks.recall_checks(found.recall, limits),
        *checks.colour_checks(found.gap, lambda _: {}, limits),
        *checks.distance_checks(found.distances, limits),
        *checks.geometry_checks(["a"], np.array([2.34]), limits),
    ]


def _checks(classes: Sequence[str]) -> Iterable[AuditCheck]:
    sky, wall = classes[:2]
    yield AuditCheck(
        measure="flips",
        subject=Subject(class_name=sky, becomes=wall),
        severity="warning",
        passed=False,
        measured=0.31,
        threshold=0.1,
        unit="share",
        found=Finding.of("audits.found_flips_to", share=0.31, name=sky, to=wall, to_share=0.22),
        advice=Finding.of("audits.advice_flips"),
        listed=tuple(f"frame_{i:04d}" for i in range(12)),
    )
    yield AuditCheck(
        measure="colour",
        subject=Subject(class_name=wall),
        severity="warning",
        passed=False,
        measured=1.62,
        threshold=1.25,
        unit="times",
        found=Finding.of("audits.found_colour", name=wall, before=14.8, after=24.0),
        advice=Finding.of("audits.advice_colour"),
    )
    yield AuditCheck(
        measure="geometry",
        severity="error",
        passed=True,
        measured=0.02,
        threshold=1.0,
        unit="px",
        found=Finding.of("audits.found_geometry", shift=0.02),
    )


def _flips(classes: Sequence[str]) -> Flips:
    sky, wall = classes[:2]
    found = [
        ClassFlips(name=sky, pixels=1_204_500, rate=rate(0.31), to={wall: 0.22, classes[-1]: 0.09}),
        ClassFlips(name=wall, pixels=900_120, rate=rate(0.042), to={sky: 0.042}),
        *(ClassFlips(name=n, pixels=0, rate=rate(None), to={}) for n in classes[2:]),
    ]
    return Flips(
        share=rate(0.061, 0.009),
        recovered=rate(0.127),
        classes=tuple(found),
        matrix=tuple(tuple(0 for _ in classes) for _ in classes),
        source_accuracy=0.611,
        translated_accuracy=0.583,
        real_accuracy=0.884,
        real_miou=0.348,
    )


def _recall() -> tuple[Recall, ...]:
    return (
        Recall(size="all", boxes=420, before=rate(0.62), after=rate(0.58)),
        Recall(size="small", boxes=200, before=rate(0.31), after=rate(0.22)),
        Recall(size="large", boxes=0, before=rate(None), after=rate(None)),
    )


def _gap(classes: Sequence[str]) -> Gap:
    each = (0.2, 0.15, 0.1873, 21.4, 12.2), (0.25, 0.2303, 0.0912, 14.8, 24.0)
    names = ("frequency_source", "frequency_real", "prior", "colour_before", "colour_after")
    known = [ClassGap(name=n, **dict(zip(names, v, strict=True))) for n, v in zip(classes, each, strict=False)]
    rest = [
        ClassGap(name=n, frequency_source=0.01, frequency_real=0, prior=None, colour_before=None, colour_after=None)
        for n in classes[2:]
    ]
    return Gap(
        colour_before=31.25,
        colour_after=12.5,
        spectrum_before=4.21,
        spectrum_after=2.87,
        frequency=0.1129,
        prior=0.139,
        classes=(*known, *rest),
    )


def _map(images: int = 60) -> DomainMap:
    rng = np.random.default_rng(0)
    centres: dict[Domain, tuple[float, float]] = {"real": (4, 0), "source": (-5, 1), "translated": (1, 0.5)}
    points = [
        MapPoint(domain=domain, id=f"{domain}{i}", x=float(x), y=float(y))
        for domain, centre in centres.items()
        for i, (x, y) in enumerate(rng.normal(centre, (1.6, 2.0), (images, 2)))
    ]
    return DomainMap(features="segmenter", explained=(0.34, 0.12), points=tuple(points))

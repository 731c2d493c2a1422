"""The first metric by part of the benchmark: by attribute of the images, by size of boxes, by drive.

A part is scored in the resamples of the whole, so that whole drives or blocks stay together in it. Its classes are
those that it shows: the metric of one part is not that of another in fewer classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.contracts import TASKS, Arm, Estimate, Note, Slice, SliceKind, SliceScore, Task
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.differences import Measured, judged_classes
from tasks.evaluate.evidence import BOX_AREAS, DetectionEvidence
from tasks.evaluate.images import ImageFacts
from tasks.evaluate.resampling import LEAST, Resampling
from tasks.evaluate.scoreboard import Cell, Evidence, Scoreboard, Scored, score_models

BOX_SIZE, SEQUENCE = "box_size", "sequence"
MOST = 12  # values of an attribute that is taken without being named
RESAMPLES = 2000  # of a part at most: each costs what the whole costs
STRETCHES = 4  # into as many the only drive is divided


@dataclass(frozen=True, eq=False)
class SlicePart:
    """A part of the benchmark. boxes: how many count, where it is of some boxes alone."""

    kind: SliceKind
    key: str
    name: str
    board: Scoreboard
    images: int
    boxes: int | None = None


def sliced(
    task: Task,
    scored: Sequence[Scored],
    evidence: Mapping[Cell, Evidence],
    how: Resampling,
    config: EvaluateConfig,
    arms: Sequence[Arm],
    baseline: Arm,
    seed: int,
) -> tuple[Slice, ...]:
    """Score the arms on each part of the benchmark, and compare them with the baseline.

    Args:
        scored: the evaluated models of the task. evidence: theirs.
        how: the resamples of the whole benchmark.
        config: ``slices`` says which, ``margin`` what does not matter.
        arms: in the order of the comparison. baseline: what they are compared with.
        seed: of the random numbers.
    """
    how = replace(how, weights=how.weights[:RESAMPLES])
    parts = [
        *_of_images(task, evidence, how, config.slices, seed),
        *(_of_sizes(scored, how, seed) if task == "detection" and _asked(BOX_SIZE, config.slices) else ()),
    ]
    metric = "metrics", TASKS[task].metrics[0]
    pairs = [(arm, baseline) for arm in arms if arm != baseline]
    found: dict[tuple[int, Arm], Measured] = {
        (i, pair[0]): part.board.measured(pair, common)[metric]
        for i, part in enumerate(parts)
        for pair in pairs
        if (common := part.board.common(pair))
    }
    judged = dict(zip(found, judged_classes(list(found.values()), config.margin), strict=True))

    def score(i: int, arm: Arm) -> SliceScore:
        estimate: Estimate = parts[i].board.arm(arm).metrics[metric[1]]
        return SliceScore(arm=arm, score=estimate, difference=judged.get((i, arm)))

    return tuple(
        Slice(
            **{name: getattr(part, name) for name in ("kind", "key", "name", "images", "boxes")},
            against=baseline,
            scores=tuple(score(i, arm) for arm in arms),
        )
        for i, part in enumerate(parts)
    )


def slice_notes(evidence: Mapping[Cell, Evidence], config: EvaluateConfig, slices: Sequence[Slice]) -> Iterator[Note]:
    """What was asked for and is not there; and that the benchmark has no attributes to slice by."""
    facts = _facts(evidence)
    keys = {*_attributes(facts)} if facts else set()
    if missing := [k for k in config.slices or () if k not in {*keys, BOX_SIZE, SEQUENCE}]:
        yield Note(code="no_slices", names=tuple(missing))
    if facts and config.slices is None and slices and not any(s.kind == "attribute" for s in slices):
        yield Note(code="no_attributes", names=(facts.benchmark,))


def _asked(key: str, wanted: Sequence[str] | None) -> bool:
    return wanted is None or key in wanted


def _facts(evidence: Mapping[Cell, Evidence]) -> ImageFacts | None:
    return next((e.facts for e in evidence.values() if e.facts is not None), None)


def _of_images(
    task: Task, evidence: Mapping[Cell, Evidence], how: Resampling, wanted: Sequence[str] | None, seed: int
) -> Iterator[SlicePart]:
    """The parts that are some of the images."""
    facts = _facts(evidence)
    for kind, key, name, part in _divided(facts, wanted) if facts else ():
        within = {cell: of.within(part) for cell, of in evidence.items()}
        yield SlicePart(kind, key, name, score_models(task, within, how.within(part), seed), int(part.sum()))


def _divided(
    facts: ImageFacts, wanted: Sequence[str] | None
) -> Iterator[tuple[SliceKind, str, str, NDArray[np.bool_]]]:
    values = _attributes(facts)
    usual = [k for k, of in values.items() if 2 <= len(of) <= MOST and sorted(of.values())[-2] >= LEAST["image"]]
    for key in usual if wanted is None else [k for k in wanted if k in values]:
        column = np.array([attributes.get(key, "") for attributes in facts.attributes])
        for name in sorted(values[key]):
            yield "attribute", key, name, column == name
    if not facts.has_drives or not _asked(SEQUENCE, wanted):
        return
    drives = np.array([s or "" for s in facts.sequences])
    names = sorted({*drives} - {""})
    if len(names) == 1:
        yield from _stretches(facts, drives == names[0])
    elif wanted is not None or len(names) <= MOST:
        yield from (("sequence", SEQUENCE, name, drives == name) for name in names)


def _attributes(facts: ImageFacts) -> dict[str, Counter[str]]:
    """Attribute -> value -> how many images have it."""
    found: dict[str, Counter[str]] = {}
    for attributes in facts.attributes:
        for key, value in attributes.items():
            found.setdefault(key, Counter())[value] += 1
    return dict(sorted(found.items()))


def _stretches(facts: ImageFacts, drive: NDArray[np.bool_]) -> Iterator[tuple[SliceKind, str, str, NDArray[np.bool_]]]:
    """The only drive in parts of like length, named by their first and last frames, counted from 1."""
    frames = np.flatnonzero(drive)
    frames = frames[np.argsort(np.array(facts.places)[frames])]
    first = 1
    for frames_of in np.array_split(frames, STRETCHES) if len(frames) >= STRETCHES * LEAST["image"] else ():
        part = np.zeros(len(drive), bool)
        part[frames_of] = True
        yield "stretch", SEQUENCE, f"{first}-{first + len(frames_of) - 1}", part
        first += len(frames_of)


def _of_sizes(scored: Sequence[Scored], how: Resampling, seed: int) -> Iterator[SlicePart]:
    """The parts that are some of the boxes."""
    for size, areas in BOX_AREAS.items():
        evidence: dict[Cell, Evidence] = {(s.arm, s.seed): DetectionEvidence.read(s.folder, areas) for s in scored}
        boxes = next(iter(evidence.values())).boxes  # type: ignore[union-attr]
        board = score_models("detection", evidence, how, seed)
        yield SlicePart("size", BOX_SIZE, size, board, int(boxes.any(1).sum()), int(boxes.sum()))

"""Semantic flipping: what a frozen segmenter reads rightly in the source, and wrongly after translation.

The measure is what discriminators allow and cycle consistency hides (Zhang et al., Semantically Robust Unpaired Image
Translation, ICCV 2021, call it semantics flipping): content becomes that of another class, and the labels turn false.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.audit.rates import RESAMPLES, ratio, source_id
from tasks.compute import threads, with_progress
from tasks.contracts import ClassFlips, Finding, Flips, Rate, Scores
from tasks.datasets import IGNORE, ImageError, Sample, SampleTable, mask_of, read_label
from tasks.evaluate import image_weights

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class FlipsFound:
    """The flips of a translated set.

    Attributes:
        flips: the whole, as it stands in the audit.
        ids: the translated images that have a mask, in their table's order: ``N``.
        share: of the pixels that the judge read rightly before, those that it reads wrongly after, ``[N]``, 0 to 1;
            0 where it read none rightly.
        per_class: pixels read rightly before, by label and by what is read after, ``int64 [N, C, C]``.
    """

    flips: Flips
    ids: tuple[str, ...]
    share: NDArray[np.float64]
    per_class: Counts


@dataclass(frozen=True)
class _Pair:
    """One image: of the pixels read rightly before, and of those read wrongly, labels by what is read after."""

    right: Counts
    wrong: Counts


def measure_flips(
    source: SampleTable, before: Path, translated: SampleTable, after: Path, scores_real: Path | None, seed: int
) -> FlipsFound:
    """Compare what the judge reads in each image before and after translation.

    Intervals are by bootstrap over the source's images, so that variants of one image stay together.

    Args:
        source, translated: the tables, of the same classes; labels are the translated table's, which are the source's.
        before, after: folders of the judge's evaluations on them, with ``predictions/<id>.png``.
        scores_real: folder of its evaluation on the real benchmark, with ``scores.json``; None where there is none.
        seed: of the bootstrap.

    Raises:
        ImageError: a prediction is missing, is not of its label's size, or holds an unknown class.
        ValueError: a translated image is of no image of the source, or the classes differ.
    """
    if source.info.classes != translated.info.classes:
        raise ValueError(f"{source.folder} and {translated.folder} have different classes; translate the source again")
    classes = len(source.info.classes)
    samples = list(translated.labelled("masks"))
    known = set(source.rows["id"].to_pylist())
    if strange := next((s.id for s in samples if source_id(s) not in known), None):
        raise ValueError(
            f"{translated.folder}: image {strange!r} is of no image of {source.folder}; translate it again"
        )

    def one(sample: Sample) -> _Pair:
        label = mask_of(sample, translated.info)
        read_before = _read(_file(before, source_id(sample)), label, classes)
        return _compared(label, read_before, _read(_file(after, sample.id), label, classes), classes)

    with ThreadPoolExecutor(threads()) as pool:
        pairs = list(
            with_progress(pool.map(one, samples), len(samples), f"flips of {translated.info.dataset}", bar=False)
        )
    size = (len(pairs), classes, classes)
    right = np.array([p.right for p in pairs], np.int64).reshape(size)
    wrong = np.array([p.wrong for p in pairs], np.int64).reshape(size)
    groups = [source_id(s) for s in samples]
    names = [c.name for c in source.info.classes]
    kept, all_ = np.trace(right, axis1=1, axis2=2), right.sum((1, 2))
    return FlipsFound(
        flips=_summed(names, right, wrong, groups, scores_real, seed),
        ids=tuple(s.id for s in samples),
        share=np.divide(all_ - kept, all_, out=np.zeros(len(pairs)), where=all_ > 0),
        per_class=right,
    )


def _file(evaluation: Path, name: str) -> Path:
    return evaluation / "predictions" / f"{name}.png"


def _read(file: Path, label: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    if not file.is_file():
        raise ImageError(file, Finding.of("data.no_prediction"), "found")
    predicted = read_label(file, size=(label.shape[1], label.shape[0]))
    if predicted.ndim != 2 or predicted.max() >= classes:
        raise ImageError(file, Finding.of("data.other_prediction", n=classes))
    return predicted.astype(np.uint8)


def _compared(label: NDArray[np.uint8], before: NDArray[np.uint8], after: NDArray[np.uint8], classes: int) -> _Pair:
    pairs = label.astype(np.int64) * classes + after

    def matrix(where: NDArray[np.bool_]) -> Counts:
        return np.bincount(pairs[where], minlength=classes * classes).reshape(classes, classes)

    return _Pair(matrix(before == label), matrix((before != label) & (label != IGNORE)))


def _summed(
    names: list[str], right: Counts, wrong: Counts, groups: list[str], scores_real: Path | None, seed: int
) -> Flips:
    cluster = np.unique(groups, return_inverse=True)[1] if groups else np.zeros(0, np.int64)
    sources = int(cluster.max(initial=-1)) + 1
    weights = image_weights(sources, RESAMPLES, seed)

    def rate(part: Counts, whole: Counts) -> Rate:
        return ratio(np.bincount(cluster, part, sources), np.bincount(cluster, whole, sources), weights)

    def diagonal(matrices: Counts) -> Counts:
        return np.asarray(np.trace(matrices, axis1=1, axis2=2), np.int64)

    before, otherwise = right.sum((1, 2)), wrong.sum((1, 2))
    pixels = int((before + otherwise).sum())
    real = Scores.read(scores_real).metrics if scores_real is not None else {}
    read_after = int((diagonal(right) + diagonal(wrong)).sum())
    return Flips(
        share=rate(before - diagonal(right), before),
        recovered=rate(diagonal(wrong), otherwise),
        classes=tuple(
            ClassFlips(
                name=name,
                pixels=int(right[:, k].sum()),
                rate=rate(right[:, k].sum(1) - right[:, k, k], right[:, k].sum(1)),
                to=_destinations(names, right[:, k].sum(0), k),
            )
            for k, name in enumerate(names)
        ),
        matrix=tuple(tuple(row) for row in right.sum(0).tolist()),
        source_accuracy=int(before.sum()) / pixels if pixels else None,
        translated_accuracy=read_after / pixels if pixels else None,
        real_accuracy=real.get("pixel_accuracy"),
        real_miou=real.get("mIoU"),
    )


def _destinations(names: list[str], row: Counts, own: int) -> dict[str, float]:
    """Class -> share of a class's pixels that is read as it afterwards, the largest first."""
    order = [k for k in np.argsort(-row, kind="stable").tolist() if k != own and row[k]]
    return {names[k]: float(row[k] / row.sum()) for k in order}

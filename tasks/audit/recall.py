"""What a frozen detector still finds of the simulator's boxes after translation, by their size."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.audit.rates import RESAMPLES, ratio
from tasks.contracts import BoxSize, Rate, Recall
from tasks.evaluate import image_weights, matched

SIZES: dict[BoxSize, tuple[float, float]] = {  # COCO's, area in square pixels: least, and the first too large
    "all": (0, math.inf),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, math.inf),
}


@dataclass(frozen=True, eq=False)
class _Found:
    """The true boxes of an evaluation, crowds left out, and what was found of them at IoU 0.5.

    Attributes:
        images: the N images' ids.
        image: position of each box's image, ``[B]``. area: in square pixels, ``[B]``.
        score: of the detection that found the box, ``[B]``; -inf where none did.
        false: scores of the detections that found neither a box nor a crowd, ``[F]``.
    """

    images: tuple[str, ...]
    image: NDArray[np.int64]
    area: NDArray[np.float64]
    score: NDArray[np.float64]
    false: NDArray[np.float64]


def recall_by_size(before: Path, after: Path, seed: int = 0) -> tuple[Recall, ...]:
    """Recall at IoU 0.5 and at one score threshold, by class, of all, small, medium and large boxes (COCO's sizes).

    Either evaluation is scored against its own truth; crowds do not count. The threshold is ``best_threshold`` of
    ``before``: with every detection down to score 0.001 kept, recall would say little of what a detector finds.
    Intervals are by bootstrap over the source's images, so that variants of one image stay together.

    Args:
        before, after: folders of one detector's evaluations on the source and on the translated set, with
            ``ground_truth.json`` (COCO instances) and ``predictions.json`` (COCO results).
        seed: of the bootstrap.

    Raises:
        ValueError: a file is missing or broken, or a prediction is of no image of its truth.
    """
    source, translated = _found(before), _found(after)
    threshold = _best(source)
    known = set(source.images)
    rates = [_rates(found, threshold, known, seed) for found in (source, translated)]
    return tuple(
        Recall(size=size, boxes=int(_of_size(source, size).sum()), before=rates[0][size], after=rates[1][size])
        for size in SIZES
    )


def best_threshold(evaluation: Path) -> float:
    """The score from which on detections are kept where F1 at IoU 0.5, over all classes together, is highest.

    Of thresholds with the same F1 it is the highest. 0 where nothing true is found at any score.

    Raises:
        ValueError: as of ``recall_by_size``.
    """
    return _best(_found(evaluation))


def _best(found: _Found) -> float:
    hits = found.score[np.isfinite(found.score)]
    if not hits.size:
        return 0.0
    score = np.concatenate([hits, found.false])
    order = np.argsort(-score, kind="stable")
    score, true = score[order], (np.arange(score.size) < hits.size)[order]
    f1 = 2 * np.cumsum(true) / (np.arange(1, score.size + 1) + found.score.size)
    f1[:-1][score[1:] == score[:-1]] = 0  # equal scores are kept, or left out, together
    return float(score[f1.argmax()])


def _of_size(found: _Found, size: BoxSize) -> NDArray[np.bool_]:
    least, too_large = SIZES[size]
    return np.asarray((found.area >= least) & (found.area < too_large))


def _rates(found: _Found, threshold: float, known: set[str], seed: int) -> dict[BoxSize, Rate]:
    sources, cluster = np.unique([_source_id(name, known) for name in found.images], return_inverse=True)
    weights = image_weights(len(sources), RESAMPLES, seed)

    def count(boxes: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(cluster[found.image[boxes]], minlength=len(sources))

    hit = found.score >= threshold
    return {size: ratio(count((of := _of_size(found, size)) & hit), count(of), weights) for size in SIZES}


def _source_id(name: str, known: set[str]) -> str:
    """The source's id of a variant's ``<id>__v0``, where the source has it; otherwise the name."""
    source = name.rpartition("__v")[0]
    return source if name not in known and source in known else name


def _found(folder: Path) -> _Found:
    truth = _read(folder / "ground_truth.json")
    results = _results(truth, _read(folder / "predictions.json"), folder)
    position = {image["id"]: i for i, image in enumerate(truth["images"])}
    area_of = {a["id"]: a["area"] for a in truth["annotations"]}
    image, area, score, false = [], [], [], []
    for result in results:
        scores = np.array(result["dtScores"], float)
        matches, ignored = result["dtMatches"][0], result["dtIgnore"][0].astype(bool)
        false.append(scores[(matches == 0) & ~ignored])
        score_of = dict(zip(matches.tolist(), scores.tolist(), strict=True))
        for box, crowd in zip(result["gtIds"], result["gtIgnore"], strict=True):
            if not crowd:
                image.append(position[result["image_id"]])
                area.append(area_of[box])
                score.append(score_of.get(box, -math.inf))
    return _Found(
        tuple(i["file_name"] for i in truth["images"]),
        np.array(image, np.int64),
        np.array(area, float),
        np.array(score, float),
        np.concatenate([np.zeros(0), *false]),
    )


def _results(truth: dict[str, Any], predictions: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """COCOeval's matches at IoU 0.5, greedy by score, an image and class; the best 100 detections of each.

    A match never depends on detections of lower scores, so that these hold at every threshold.
    """
    images = {image["id"] for image in truth["images"]}
    if strange := next((p for p in predictions if p["image_id"] not in images), None):
        raise ValueError(
            f"{folder}: predictions.json has {strange}, of no image of ground_truth.json; evaluate it again"
        )
    boxes = [{**p, "id": i, "area": p["bbox"][2] * p["bbox"][3], "iscrowd": 0} for i, p in enumerate(predictions, 1)]
    evaluation = matched(truth, boxes, (0.5,))
    return [result for result in evaluation.evalImgs if result is not None]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error}); evaluate the detector again") from error

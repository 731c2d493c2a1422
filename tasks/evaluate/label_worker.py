"""``python -m tasks.evaluate.label_worker JOB.json``: let a model label images, whose own labels are never looked at.

Leaves ``samples.parquet`` and ``pseudo_labels.json``; for segmentation also ``masks/<id>.png``, class indices, 255 for
what is not believed.
"""

from __future__ import annotations

from tasks.compute import die_with_parent, do_job

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tasks.compute import share_threads
from tasks.contracts import PseudoClass, PseudoLabels
from tasks.datasets import IGNORE, Box, MaskEncoding, Sample, SampleTable, read_image
from tasks.evaluate.inference import Finish, Inference, Unlabelled
from tasks.evaluate.job import LabelJob
from tasks.evaluate.pseudo_labels import LEVELS, histogram, kept, levels, thresholds
from tasks.retrain import TrainingError
from tasks.store import file_sha256, write_json, write_png

R = TypeVar("R")


def label(job: LabelJob) -> PseudoLabels:
    """Write the labelled table into ``job.work``; returns what became labels.

    Raises:
        TrainingError: the checkpoint does not fit its configuration, or no image would have a label.
    """
    table = SampleTable.read(job.table)
    if not len(table):
        raise TrainingError(f"data set {table.info.dataset!r} has no images to label")
    samples, classes = (_masks if job.task == "segmentation" else _boxes)(job, table)
    masks = MaskEncoding(kind="index", indices={i: i for i in (*range(len(table.info.classes)), IGNORE)})
    labels: dict[str, Any] = {"encoding": masks, "boxes_from": None, "impossible": ()}
    if job.task == "detection":
        labels = {"encoding": None, "boxes_from": "predicted", "impossible_boxes": ()}
    info = table.info.model_copy(update={"dataset": f"{table.info.dataset} (pseudo-labels)", **labels})
    SampleTable.from_samples(samples, info, job.work, table.root).write(job.work)
    told = PseudoLabels(task=job.task, images=len(table), labelled=len(samples), classes=tuple(classes))
    write_json(job.work / PseudoLabels.FILE, told.content())
    return told


def _said(job: LabelJob, table: SampleTable, finish: Finish[R]) -> list[R]:
    """What ``finish`` returned of each image, in the table's order; no label is looked at."""
    inference = Inference(job, lambda pipeline: Unlabelled(table, pipeline), confidence=True)
    return inference.all_of(table, finish, f"{job.task} labelling")


def _masks(job: LabelJob, table: SampleTable) -> tuple[list[Sample], Iterator[PseudoClass]]:
    """All images are read before the first label is written: a class's threshold depends on all of them."""
    names = [c.name for c in table.info.classes]
    drafts, masks = job.work / "drafts", job.work / "masks"

    def finish(position: int, output: Any, _: Any) -> NDArray[np.int64]:
        predicted = output.pred_sem_seg.data[0].numpy().astype(np.uint8, copy=False)
        level = levels(output.confidence.data[0].numpy())
        write_png(drafts / f"{position}.png", np.dstack([predicted, level, level]))
        return histogram(predicted, level, len(names))

    counts = np.sum(_said(job, table, finish), axis=0)
    threshold = thresholds(counts, job.settings.portion, job.settings.sure)
    samples = []
    for position, sample in enumerate(table):
        predicted, level = _draft(drafts / f"{position}.png")
        mask = kept(predicted, level, threshold)
        path = masks / f"{sample.id}.png"
        write_png(path, mask)
        pixels = tuple(np.bincount(mask.ravel(), minlength=LEVELS)[: len(names)].tolist())
        labels: dict[str, Any] = {
            "mask": path.relative_to(job.work),
            "mask_sha256": file_sha256(path),
            "class_pixels": pixels,
        }
        samples.append(replace(sample, boxes=None, **labels))
    shutil.rmtree(drafts)
    levels_kept = np.arange(LEVELS) >= threshold[:, None]
    return samples, (
        PseudoClass(
            name=name,
            threshold=round(int(t) / (LEVELS - 1), 4) if t < LEVELS else None,
            predicted=int(count.sum()),
            kept=int(count[of_class].sum()),
        )
        for name, t, count, of_class in zip(names, threshold, counts, levels_kept, strict=True)
    )


def _draft(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    image = read_image(path)
    return image[..., 0], image[..., 1]


def _boxes(job: LabelJob, table: SampleTable) -> tuple[list[Sample], Iterator[PseudoClass]]:
    """Images without a confident box are left out: nothing says that they show no object."""
    names, score = table.info.detection, job.settings.score

    def finish(position: int, output: Any, _: Any) -> tuple[tuple[Box, ...], NDArray[np.int64]]:
        found, sample = output.pred_instances.cpu(), table[position]
        corners = np.clip(found.bboxes.numpy(), 0, [sample.width, sample.height] * 2)
        inside = (corners[:, :2] < corners[:, 2:]).all(axis=1)
        category, sure = found.labels.numpy(), inside & (found.scores.numpy() >= score)
        counts = np.stack([np.bincount(of, minlength=len(names)) for of in (category, category[sure])])
        return tuple(map(Box, category[sure].tolist(), *corners[sure].T.tolist())), counts

    said = _said(job, table, finish)
    unlabelled: dict[str, Any] = {"mask": None, "mask_sha256": None, "class_pixels": None}
    samples = [replace(s, boxes=boxes, **unlabelled) for s, (boxes, _) in zip(table, said, strict=True) if boxes]
    if not samples:
        told = f"retrain.self_training.score: the model is sure of no box in {len(table)} images at a score of {score}"
        raise TrainingError(f"{told}: lower it, or train for longer")
    counts = np.sum([counts for _, counts in said], axis=0)
    return samples, (
        PseudoClass(name=name, threshold=score, predicted=int(all_of), kept=int(sure))
        for name, all_of, sure in zip(names, *counts, strict=True)
    )


def work(path: Path) -> None:
    """Run the job of a file."""
    share_threads()
    told = label(LabelJob.model_validate_json(path.read_text()))
    print(f"labelled {told.labelled} of {told.images} images", flush=True)


if __name__ == "__main__":
    sys.exit(do_job(Path(sys.argv[1]), work, TrainingError))

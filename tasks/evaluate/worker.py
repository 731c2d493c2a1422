"""``python -m tasks.evaluate.worker JOB.json``: run a trained model on the benchmark, keep what it says, score it.

Leaves ``scores.json`` and ``images.parquet`` (each image's drive and attributes); for segmentation
``predictions/<id>.png`` (class index a pixel), ``confusion.parquet`` (id, truth, predicted, pixels: every image's
confusion matrix, sparse) and, where images pass whole, ``features.parquet`` (id, feature: the mean of the backbone's
last map over the image, for distances between sets); for detection ``predictions.json`` (COCO results) and
``ground_truth.json`` (COCO instances).
"""

from __future__ import annotations

from tasks.compute import die_with_parent, do_job

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from torch import Tensor

from tasks.compute import resolve_precision, share_threads
from tasks.contracts import TASKS, Scores
from tasks.datasets import SampleTable, read_mask
from tasks.evaluate.detection import detection_scores, ground_truth
from tasks.evaluate.features import write_features
from tasks.evaluate.images import write_images
from tasks.evaluate.inference import Inference
from tasks.evaluate.job import EvaluateJob
from tasks.evaluate.segmentation import confusion_matrix, segmentation_scores
from tasks.retrain import TrainingError, check_images
from tasks.store import write_json, write_png


def evaluate(job: EvaluateJob) -> Scores:
    """Write predictions, evidence and ``scores.json`` into ``job.work``; returns the scores.

    Raises:
        TrainingError: the checkpoint does not fit its configuration, or the benchmark has no labels for the task.
    """
    table = SampleTable.read(job.table)
    check_images(job.task, table)
    table = table.labelled(TASKS[job.task].labels)
    measured = (_segmentation if job.task == "segmentation" else _detection)(job, table)
    write_images(job.work, table)
    precision = resolve_precision(job.precision, job.device)
    scores = Scores(task=job.task, images=len(table), left_out=job.left_out, precision=precision, **measured)
    write_json(job.work / Scores.FILE, scores.content())
    return scores


def _segmentation(job: EvaluateJob, table: SampleTable) -> dict[str, Any]:
    names = tuple(c.name for c in table.info.classes)
    encoding = table.info.encoding
    assert encoding is not None  # check_images saw to it

    def finish(position: int, output: Any, feature: Tensor | None) -> tuple[NDArray[np.int64], Tensor | None]:
        sample, predicted = table[position], output.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8, copy=False)
        assert sample.mask is not None
        write_png(job.work / "predictions" / f"{sample.id}.png", predicted)
        return confusion_matrix(read_mask(sample.mask, encoding), predicted, len(names)), feature

    found = Inference(job).all_of(table, finish, f"{job.task} inference")
    ids = table.rows["id"].to_pylist()
    _write_confusions(job.work / "confusion.parquet", ids, [confusion for confusion, _ in found])
    if len(features := [f.numpy() for _, f in found if f is not None]) == len(table):
        write_features(job.work, ids, features)
    return segmentation_scores(np.sum([confusion for confusion, _ in found], axis=0), names, job.left_out)


def _write_confusions(path: Path, ids: list[str], confusions: list[NDArray[np.int64]]) -> None:
    images, truth, predicted = np.nonzero(np.stack(confusions))
    pixels = np.concatenate([c[c > 0] for c in confusions])
    columns = {"truth": truth, "predicted": predicted, "pixels": pixels}
    pq.write_table(pa.table({"id": pa.array(ids).take(pa.array(images)), **columns}), path)


def _detection(job: EvaluateJob, table: SampleTable) -> dict[str, Any]:
    said = Inference(job).all_of(table, _results, f"{job.task} inference")
    predictions = [result for of_image in said for result in of_image]
    truth = ground_truth(table)
    write_json(job.work / "predictions.json", predictions, indent=None)
    write_json(job.work / "ground_truth.json", truth, indent=None)
    return detection_scores(truth, predictions, job.left_out)


def _results(position: int, output: Any, _: Tensor | None) -> list[dict[str, Any]]:
    """An image's detections as COCO results."""
    found = output.pred_instances.cpu()
    boxes = found.bboxes.float().numpy()
    boxes[:, 2:] -= boxes[:, :2]
    return [
        {
            "image_id": position + 1,
            "category_id": int(label) + 1,
            "bbox": box.round(2).tolist(),
            "score": round(score, 5),
        }
        for box, label, score in zip(boxes, found.labels.numpy(), found.scores.tolist(), strict=True)
    ]


def work(path: Path) -> None:
    """Run the job of a file."""
    share_threads()
    scores = evaluate(EvaluateJob.model_validate_json(path.read_text()))
    print(f"scored {scores.images} images: {scores.metrics}", flush=True)


if __name__ == "__main__":
    sys.exit(do_job(Path(sys.argv[1]), work, TrainingError))

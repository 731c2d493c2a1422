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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from tasks.compute import with_progress
from tasks.contracts import TASKS, ModelConfig, Scores
from tasks.datasets import SampleTable, read_mask
from tasks.evaluate.detection import detection_scores, ground_truth
from tasks.evaluate.features import write_features
from tasks.evaluate.images import write_images
from tasks.evaluate.job import EvaluateJob
from tasks.evaluate.segmentation import confusion_matrix, segmentation_scores
from tasks.retrain import CHECKPOINT, DATASETS, TrainingError, check_images, load_checkpoint
from tasks.store import write_json, write_png


def evaluate(job: EvaluateJob) -> Scores:
    """Write predictions, evidence and ``scores.json`` into ``job.work``; returns the scores.

    Raises:
        TrainingError: the checkpoint does not fit its configuration, or the benchmark has no labels for the task.
    """
    table = SampleTable.read(job.table)
    check_images(job.task, table)
    table = table.labelled(TASKS[job.task].labels)
    model, loader = _load(job)
    pooled: list[torch.Tensor] = []
    if job.task == "segmentation":
        backbone: Any = model.backbone
        backbone.register_forward_hook(lambda _, __, maps: pooled.append(maps[-1].mean(dim=(2, 3)).float().cpu()))
    outputs = with_progress(_predict(model, loader), len(table), f"{job.task} inference", bar=False)
    measured = (_segmentation if job.task == "segmentation" else _detection)(job, table, outputs)
    if len(vectors := [v.numpy() for batch in pooled for v in batch]) == len(table):
        write_features(job.work, table.rows["id"].to_pylist(), vectors)
    write_images(job.work, table)
    scores = Scores(task=job.task, images=len(table), left_out=job.left_out, **measured)
    write_json(job.work / Scores.FILE, scores.content())
    return scores


def _load(job: EvaluateJob) -> tuple[torch.nn.Module, Any]:
    try:
        found = ModelConfig.read(job.model)
    except (OSError, ValueError) as error:
        raise TrainingError(str(error)) from error
    cfg = Config({"model": found.model, "test_pipeline": found.test_pipeline})
    init_default_scope(TASKS[job.task].package)
    model = MODELS.build(cfg.model)
    state = load_checkpoint(job.model / CHECKPOINT)["state_dict"]
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(f"{job.model / CHECKPOINT} does not fit {ModelConfig.FILE}: {error}") from error
    loader = Runner.build_dataloader(
        dict(
            batch_size=job.batch,
            num_workers=0,
            sampler=dict(type="DefaultSampler", shuffle=False),
            dataset=dict(
                type=DATASETS[job.task].__name__, table=str(job.table), pipeline=cfg.test_pipeline, test_mode=True
            ),
        )
    )
    return model.to(job.device).eval(), loader


@torch.inference_mode()
def _predict(model: torch.nn.Module, loader: Any) -> Iterator[Any]:
    for batch in loader:
        yield from model.test_step(batch)  # type: ignore[operator]


def _segmentation(job: EvaluateJob, table: SampleTable, outputs: Iterator[Any]) -> dict[str, Any]:
    names = tuple(c.name for c in table.info.classes)
    assert table.info.encoding is not None  # check_images saw to it
    total = np.zeros((len(names), len(names)), np.int64)
    evidence: dict[str, list[Any]] = {"id": [], "truth": [], "predicted": [], "pixels": []}
    for sample, output in zip(table, outputs, strict=True):
        predicted = output.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
        assert sample.mask is not None
        confusion = confusion_matrix(read_mask(sample.mask, table.info.encoding), predicted, len(names))
        total += confusion
        rows, columns = np.nonzero(confusion)
        evidence["id"] += [sample.id] * len(rows)
        evidence["truth"] += rows.tolist()
        evidence["predicted"] += columns.tolist()
        evidence["pixels"] += confusion[rows, columns].tolist()
        write_png(job.work / "predictions" / f"{sample.id}.png", predicted)
    pq.write_table(pa.table(evidence), job.work / "confusion.parquet")
    return segmentation_scores(total, names, job.left_out)


def _detection(job: EvaluateJob, table: SampleTable, outputs: Iterator[Any]) -> dict[str, Any]:
    predictions: list[dict[str, Any]] = []
    for image_id, output in enumerate(outputs, 1):
        found = output.pred_instances.cpu()
        boxes = found.bboxes.numpy()
        boxes[:, 2:] -= boxes[:, :2]
        predictions += [
            {
                "image_id": image_id,
                "category_id": int(label) + 1,
                "bbox": box.round(2).tolist(),
                "score": round(score, 5),
            }
            for box, label, score in zip(boxes, found.labels.numpy(), found.scores.tolist(), strict=True)
        ]
    truth = ground_truth(table)
    write_json(job.work / "predictions.json", predictions, indent=None)
    write_json(job.work / "ground_truth.json", truth, indent=None)
    return detection_scores(truth, predictions, job.left_out)


def work(path: Path) -> None:
    """Run the job of a file."""
    scores = evaluate(EvaluateJob.model_validate_json(path.read_text()))
    print(f"scored {scores.images} images: {scores.metrics}", flush=True)


if __name__ == "__main__":
    sys.exit(do_job(Path(sys.argv[1]), work, TrainingError))

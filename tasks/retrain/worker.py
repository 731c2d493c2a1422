"""``python -m tasks.retrain.worker JOB.json``: one training, in a process of its own.

Leaves in the job's work folder ``checkpoint.pth`` (weights alone), ``config.py`` (what of the mmengine configuration
inference needs), ``card.json`` and ``curve.json``, and removes what only a resume needs.
"""

from __future__ import annotations

from tasks.compute import die_with_parent, do_job

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import json
import math
import shutil
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from tasks.compute import device_name
from tasks.contracts import RANDOM_WEIGHTS, TASKS, InitialWeights, LossCurve, LossPoint, ModelCard, TrainSet
from tasks.datasets import SampleTable
from tasks.retrain import checkpoints
from tasks.retrain.checkpoints import CHECKPOINT, CHECKPOINTS
from tasks.retrain.configuration import train_config, used
from tasks.retrain.job import TrainJob
from tasks.retrain.loaders import check_shared_memory, loaders_explained
from tasks.retrain.nested import drawn_table
from tasks.retrain.suitable import TrainingError
from tasks.store import write_json

RESUMED = "resumed.json"


def train(job: TrainJob) -> None:
    """Train, or resume, and write the results into ``job.work``.

    Raises:
        TrainingError: the job cannot be trained as it is configured.
    """
    cfg = train_config(job)
    check_shared_memory(job, cfg)
    resumed = checkpoints.newest(job.work)
    _note(job, resumed)
    if resumed is not None:
        cfg.load_from, cfg.resume = str(resumed), True
        print(f"resuming from {resumed.name}", flush=True)
    runner = Runner.from_cfg(cfg)
    initial = InitialWeights(weights=RANDOM_WEIGHTS)
    if (init := job.training.initial()) is not None:
        runner.model.init_weights()  # now: train() does it only once, and would undo what is loaded
        counts = checkpoints.load_initial(runner.model, init, job.training.config)
        initial = InitialWeights(weights=init.path.name, sha256=init.sha256, **counts)
    with loaders_explained(job):
        runner.train()
    _finish(job, cfg, runner, initial)


def _note(job: TrainJob, resumed: Path | None) -> None:
    """Remember where a training goes on that is not sure to end as if it had never been interrupted; see ``exact``."""
    if resumed is not None and job.device != "cpu":
        write_json(job.work / RESUMED, [*_noted(job.work), checkpoints.iteration(resumed)])


def _noted(work: Path) -> tuple[int, ...]:
    path = work / RESUMED
    return tuple(json.loads(path.read_bytes())) if path.exists() else ()


def _finish(job: TrainJob, cfg: Config, runner: Runner, initial: InitialWeights) -> None:
    curve = _curve(job.work)
    if not curve:
        raise TrainingError("the training logged no loss: retrain.*.log_every is larger than iterations")
    checkpoints.save_weights(job.work / CHECKPOINT, runner.model)
    used(cfg).dump(str(job.work / "config.py"))
    write_json(job.work / LossCurve.FILE, LossCurve(curve).content())
    tables = _drawn(job)
    shares = job.drawing.shares([len(t) for t in tables], job.training.iterations)
    card = ModelCard(
        task=job.task,
        network=job.training.config.stem,
        type=cfg.model.type,
        parameters=sum(p.numel() for p in runner.model.parameters()),
        input_size=tuple(cfg.input_size),
        iterations=job.training.iterations,
        batch=job.training.batch,
        seed=job.seed,
        initial_weights=initial,
        train_images=sum(len(t) for t in tables),
        train_sets=tuple(
            TrainSet(dataset=t.info.dataset, images=len(t), share=round(share, 4))
            for t, share in zip(tables, shares, strict=True)
        ),
        device=device_name(torch.device(job.device)),
        overrides=job.training.overrides,
        class_weights=weights if isinstance(weights := job.training.class_weights, tuple) else None,
        resumed_at=_noted(job.work),
    )
    write_json(job.work / ModelCard.FILE, card.content())
    for leftover in (
        *job.work.glob(CHECKPOINTS),
        *(job.work / name for name in ("last_checkpoint", "job.json", RESUMED)),
    ):
        leftover.unlink(missing_ok=True)
    for folder in job.work.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
        elif folder.suffix == ".py" and folder.name != "config.py":
            folder.unlink()


def _drawn(job: TrainJob) -> list[SampleTable]:
    """What the training had of each set."""
    labels = TASKS[job.task].labels
    members = zip(job.tables, job.drawing.members, strict=True)
    return [drawn_table(path, labels, member.images, job.seed) for path, member in members]


def _curve(work: Path) -> tuple[LossPoint, ...]:
    """The learning curve over all of the training's processes; where they overlap, the latest holds.

    Where a loss is not finite, as in mixed precision it may be for once, the curve has a gap.
    """
    points: dict[int, float] = {}
    for path in sorted(work.glob("*/vis_data/scalars.json")):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a process that was killed
            if "loss" in entry:
                points[int(entry["step"])] = float(entry["loss"])
    return tuple(LossPoint(iteration=step, loss=points[step]) for step in sorted(points) if math.isfinite(points[step]))


def work(path: Path) -> None:
    """Run the job of a file."""
    train(TrainJob.model_validate_json(path.read_text()))


if __name__ == "__main__":
    sys.exit(do_job(Path(sys.argv[1]), work, TrainingError))

"""From a network's file, and from a job, to the mmengine configuration that trains it.

The only module that reads network files. It costs little to import: mmengine is imported with the first file, and
mmdet and mmseg with the first job.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from tasks.contracts import TASKS, Task
from tasks.datasets import SampleTable, TableInfo
from tasks.retrain.class_weights import set_class_weights
from tasks.retrain.config import NEW, TrainingConfig
from tasks.retrain.job import TrainJob
from tasks.retrain.suitable import TrainingError, check_images
from tasks.settings import packaged, there

if TYPE_CHECKING:
    from mmengine.config import Config

NEEDED = ("model", "train_pipeline", "test_pipeline", "optim_wrapper", "param_scheduler", "input_size")
_reading = (
    threading.Lock()
)  # mmengine uses ``ast``, whose constructor fails at random in Python 3.11 in several threads


def read_network(path: Path, overrides: Mapping[str, Any], custom_imports: bool = True) -> Config:
    """Read a network's file with all that it inherits, and apply the overrides.

    Args:
        path: the mmengine file, of either style.
        overrides: changes by dotted key; what is new to the file begins with ``+``.
        custom_imports: also import what the file names under ``custom_imports``, which building the network needs.

    Raises:
        TrainingError: the file is missing, is not a configuration, or the overrides do not fit it.
    """
    from mmengine.config import Config

    path = packaged(path)
    if not there(path):
        raise TrainingError(f"no file {path}")
    try:
        with _reading:
            cfg = Config.fromfile(str(path), import_custom_modules=custom_imports)
        for key, value in overrides.items():  # merging takes ``_delete_`` out of what it is given: give it a copy
            cfg.merge_from_dict({key.removeprefix(NEW): copy.deepcopy(value)})
    except Exception as error:  # the file is a program
        raise TrainingError(f"{path} with its overrides is no valid config: {error}") from error
    return cfg


def resolved(training: TrainingConfig) -> dict[str, Any]:
    """A network's configuration, inherited and overridden, as JSON-like values: what of its files decides a result.

    Raises:
        TrainingError: see ``read_network``; or a value is an object that has no name.
    """
    cfg = read_network(training.config, training.overrides, custom_imports=False)
    # A file of the new style keeps the functions that it defines among its values.
    values = {k: v for k, v in cfg.to_dict().items() if not isinstance(v, FunctionType)}
    return {key: _plain(value, f"{training.config}: {key}") for key, value in values.items()}


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(v, f"{place}.{key}") for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v, f"{place}.{i}") for i, v in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    if " at 0x" in repr(value):
        raise TrainingError(f"{place} is {value!r}, which has another name in every process: name it by its type")
    return repr(value)


def load_config(task: Task, training: TrainingConfig, info: TableInfo) -> Config:
    """Read the network's file with its overrides, and set classes, input size and schedule.

    Raises:
        TrainingError: the file is missing, is not a configuration, or lacks a part.
    """
    try:
        cfg = read_network(training.config, training.overrides)
    except TrainingError as error:
        raise TrainingError(f"retrain.{task}.config: {error}") from error
    if missing := [key for key in NEEDED if key not in cfg]:
        raise TrainingError(f"{training.config} lacks {', '.join(missing)}")
    classes = len(info.detection if task == "detection" else info.classes)
    _replace(cfg.model, "num_classes", lambda _: classes)
    if isinstance(training.class_weights, tuple):
        if len(training.class_weights) != classes:
            raise TrainingError(f"retrain.{task}.class_weights: {len(training.class_weights)} for {classes} classes")
        set_class_weights(cfg.model, training.class_weights)
    if training.input_size is not None:
        set_input_size(cfg, training.input_size)
    cfg.param_scheduler = [_in_iterations(dict(s), training.iterations) for s in cfg.param_scheduler]
    cfg.default_scope = TASKS[task].package
    return cfg


def set_input_size(cfg: Any, size: tuple[int, int]) -> None:
    """Let both pipelines of a configuration resize to (width, height) where they resize to its own ``input_size``."""
    declared = tuple(cfg["input_size"])
    for pipeline in (cfg["train_pipeline"], cfg["test_pipeline"]):
        _replace(pipeline, "scale", lambda old: size if _is(old, declared) else old)
    cfg["input_size"] = size


def _is(scale: Any, declared: tuple[int, int]) -> bool:
    return isinstance(scale, list | tuple) and tuple(scale) == declared


def _replace(node: Any, key: str, new: Any) -> None:
    """Set ``key`` to ``new(old value)`` in every mapping below ``node``."""
    if isinstance(node, dict):
        for name in list(node):
            if name == key:
                node[name] = new(node[name])
            else:
                _replace(node[name], key, new)
    elif isinstance(node, list | tuple):
        for item in node:
            _replace(item, key, new)


def _in_iterations(scheduler: dict[str, Any], iterations: int) -> dict[str, Any]:
    """Turn shares of the training (floats from 0.0 to 1.0) into iterations."""

    def scaled(value: Any) -> Any:
        return round(value * iterations) if isinstance(value, float) else value

    scheduler["begin"] = scaled(scheduler.get("begin", 0))
    # A linear warm-up of a single iteration never leaves its start factor.
    scheduler["end"] = max(scaled(scheduler.get("end", iterations)), scheduler["begin"] + 2)
    if "milestones" in scheduler:
        scheduler["milestones"] = [scaled(m) for m in scheduler["milestones"]]
    return scheduler


def used(cfg: Config) -> Config:
    """What of a training's configuration a finished model is run with; no place of one machine is in it."""
    from mmengine.config import Config

    return Config({key: cfg[key] for key in ("default_scope", "input_size", "model", "test_pipeline")})


def train_config(job: TrainJob) -> Config:
    """The complete mmengine configuration of a training, resumable from ``job.work``.

    Raises:
        TrainingError: see ``load_config``; or the tables do not suit the task, or each other.
    """
    # Here, so that loading a configuration builds no data sets; what is registered is known by its class.
    from tasks.retrain.draws import SeededDraws
    from tasks.retrain.exact import ExactTrainLoop, RandomStates
    from tasks.retrain.finite import FiniteHook

    tables = [SampleTable.read(path) for path in job.tables]
    for table in tables:
        check_images(job.task, table)
        if (table.info.classes, table.info.detection) != (tables[0].info.classes, tables[0].info.detection):
            raise TrainingError(f"{table.folder} and {tables[0].folder} have different classes; read them again")
    training = job.training
    cfg = load_config(job.task, training, tables[0].info)
    members = _members(job, cfg.train_pipeline)
    images = members[0] if len(members) == 1 else dict(type="ConcatDataset", datasets=members)
    cfg.train_dataloader = dict(
        batch_size=training.batch,
        num_workers=job.loaders,
        persistent_workers=job.loaders > 0,
        timeout=job.patience if job.loaders else 0,
        sampler=_sampler(job),
        dataset=dict(type=SeededDraws.__name__, dataset=images, seed=job.seed),
    )
    cfg.train_cfg = dict(
        type=ExactTrainLoop.__name__, max_iters=training.iterations, val_interval=training.iterations + 1
    )
    own = (dict(type=RandomStates.__name__), dict(type=FiniteHook.__name__, interval=training.log_every))
    cfg.custom_hooks = [*cfg.get("custom_hooks", []), *own]
    cfg.optim_wrapper = dict(type="AmpOptimWrapper" if job.device == "cuda" else "OptimWrapper", **cfg.optim_wrapper)
    cfg.default_hooks = dict(
        timer=dict(type="IterTimerHook"),
        logger=dict(type="LoggerHook", interval=training.log_every, ignore_last=False, log_metric_by_epoch=False),
        param_scheduler=dict(type="ParamSchedulerHook"),
        checkpoint=dict(
            type="CheckpointHook",
            by_epoch=False,
            interval=training.checkpoint_every,
            max_keep_ckpts=2,
            backend_args=dict(backend="atomic"),
        ),
    )
    cfg.log_processor = dict(by_epoch=False, window_size=training.log_every)
    cfg.visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
    cfg.randomness = dict(seed=job.seed)
    cfg.env_cfg = dict(cudnn_benchmark=job.device == "cuda")
    cfg.work_dir = str(job.work)
    cfg.experiment_name = Path(job.work).name
    return cfg


def _members(job: TrainJob, pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sets that a job trains on, each as a data set of its own."""
    from tasks.retrain.augmentation import augmented
    from tasks.retrain.data import DATASETS

    return [
        dict(
            type=DATASETS[job.task].__name__,
            table=str(table),
            images=member.images,
            seed=job.seed,
            pipeline=augmented(pipeline) if member.augmented else pipeline,
        )
        for table, member in zip(job.tables, job.drawing.members, strict=True)
    ]


def _sampler(job: TrainJob) -> dict[str, Any]:
    """The order of the images: by the seed alone, so that arms of one seed and size see theirs in the same order."""
    from tasks.retrain.draws import NumberedSampler
    from tasks.retrain.sampling import PhasedSampler, phases_of

    if job.drawing.steady:
        return dict(type=NumberedSampler.__name__, shuffle=True, seed=job.seed)
    phases = phases_of(job.drawing, job.training.iterations, job.training.batch)
    return dict(type=PhasedSampler.__name__, seed=job.seed, phases=phases)

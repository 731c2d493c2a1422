"""What can be said of trainings before one begins: networks, overrides, weights, batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasks.compute import ComputeConfig, shared_memory_free, shared_memory_needed
from tasks.contracts import TASKS, Finding, ModelConfig, Task, check_parts
from tasks.datasets import SampleTable
from tasks.retrain.class_weights import weighable
from tasks.retrain.config import RetrainConfig, TrainingConfig
from tasks.retrain.configuration import NEEDED, resolved
from tasks.retrain.loaders import image_bytes
from tasks.retrain.overriding import override_problems
from tasks.retrain.suitable import TrainingError
from tasks.settings import Problem, below, file_problems, there

# Parts of mmdet and mmseg that pool an image to one point and then normalise over the batch.
POOLED_TO_A_POINT = {
    *("APCHead", "ASPPHead", "DepthwiseSeparableASPPHead", "PSPHead", "UPerHead"),
    *("BiSeNetV1", "BiSeNetV2", "DDRNet", "FastSCNN", "ICNet", "PIDNet", "ResNeSt", "STDCContextPathNet"),
}
_PACKAGED = "EfficientNetLite"  # the backbone whose weights come as a package
_BATCH_NORMS = {"BN", "BN1d", "BN2d", "SyncBN", "MMSyncBN"}


def retrain_problems(config: RetrainConfig) -> Iterator[Problem]:
    """The problems of the ``retrain`` section by itself."""
    for task, training in config.tasks().items():
        yield from below((task,), _training(training))
    for i, arm in enumerate(config.arms):
        for task, training in config.tasks().items():
            if 0 in arm.drawing.iterations(training.iterations):
                values = {"arm": arm, "task": task, "iterations": training.iterations}
                yield Problem(("arms", i), Finding.of("settings.no_iteration_left", **values))


def few_images(config: RetrainConfig, tables: Mapping[str, SampleTable]) -> Iterator[Problem]:
    """Arms that are to be trained on more images than there are: of translated ones, as many as the source has.

    Args:
        config: the section.
        tables: role -> the data set as read.
    """
    for i, arm in enumerate(config.arms):
        for part in (part for part in arm.parts if part.teacher is None):
            images, role = part.drawing.members[0].images, "target" if part.has_real else "source"
            for labels in (TASKS[task].labels for task in config.tasks()):
                there = len(tables[role].labelled(labels))
                if images is not None and images > there:
                    values: dict[str, Any] = {"arm": arm, "side": role, "labels": labels}
                    values |= {"images": images, "there": there}
                    yield Problem(("arms", i), Finding.of("settings.few_images", **values))


def loader_problems(config: RetrainConfig, compute: ComputeConfig) -> Iterator[Problem]:
    """Whether this machine's shared memory holds what the loaders of as many trainings as go on at a time pass."""
    free = shared_memory_free()
    if free is None or not compute.loaders or compute.cluster is not None:  # a cluster's machines are others
        return
    needed = max((_passed(task, training, compute) for task, training in config.tasks().items()), default=0)
    if free < needed:
        values = {"loaders": compute.loaders, "workers": compute.workers}
        megabytes = {"needed": round(needed / 1e6), "free": round(free / 1e6)}
        yield Problem(("compute", "loaders"), Finding.of("settings.shared_memory", **values, **megabytes))


def _passed(task: Task, training: TrainingConfig, compute: ComputeConfig) -> int:
    try:
        image = image_bytes(task, resolved(training), training.input_size)
    except (TrainingError, KeyError):
        return 0  # what is wrong with the network's file is said of that
    return compute.workers * shared_memory_needed(compute.loaders, training.batch, image)


def _training(training: TrainingConfig) -> Iterator[Problem]:
    if (init := training.initial()) is not None:
        wrong = list(file_problems(("init",), init.path, init.sha256))
        yield from wrong
        if not wrong and (why := _unreadable(init.path)) is not None:
            yield Problem(("init", "path"), Finding.of("settings.no_weights", reason=str(why)))
    if training.log_every > training.iterations:
        values = {"every": training.log_every, "iterations": training.iterations}
        yield Problem(("log_every",), Finding.of("settings.never_logged", **values))
    yield from _network_problems(training)


def _network_problems(training: TrainingConfig) -> Iterator[Problem]:
    """What is wrong with the network's file, then with the overrides, then with both together: the first that is."""
    try:
        plain = resolved(training.model_copy(update={"overrides": {}}))
    except TrainingError as error:
        yield Problem(("config",), _unusable(training, error))
        return
    if missing := tuple(key for key in NEEDED if key not in plain):
        yield Problem(("config",), Finding.of("settings.network_lacks", path=training.config, keys=missing))
        return
    if wrong := list(below(("overrides",), override_problems(training.overrides, plain))):
        yield from wrong
        return
    try:
        check_parts(training.overrides)  # the network's file is a program, a configuration is not
        network = resolved(training)
    except (ValueError, TrainingError) as error:
        yield Problem(("overrides",), _unusable(training, error))
        return
    for checkpoint in _files_of_weights(network):
        # Of tensors alone, without a log: mmengine would run what else it holds.
        if (why := _unreadable(checkpoint, beside=())) is not None:
            yield Problem(("config",), _unusable(training, why))
    try:
        ModelConfig(**{key: network[key] for key in ModelConfig.model_fields}).check()
    except ValueError as error:
        yield Problem(("config",), _unusable(training, error))
    yield from _unfitting(training, network["model"])
    if training.batch == 1 and (part := pooled_to_a_point(network["model"])):
        yield Problem(("batch",), Finding.of("settings.batch_of_one", path=training.config, part=part))


def _unfitting(training: TrainingConfig, model: Mapping[str, Any]) -> Iterator[Problem]:
    """Packaged weights of another backbone, and class weights that no loss takes."""
    backbone = str(model.get("backbone", {}).get("type")).rpartition(".")[2]
    if training.init == "packaged" and backbone != _PACKAGED:
        values: dict[str, Any] = {"path": training.config, "backbone": backbone, "expected": _PACKAGED}
        yield Problem(("init",), Finding.of("settings.other_backbone", **values))
    if training.class_weights != "none" and not any(weighable(model)):
        yield Problem(("class_weights",), Finding.of("settings.unweighable", path=training.config))


def _unusable(training: TrainingConfig, error: Exception) -> Finding:
    if not there(training.config):
        return Finding.of("settings.no_file", path=training.config)
    return Finding.of("settings.network_wrong", reason=" ".join(str(error).split()))


def _files_of_weights(node: Any, key: str = "") -> Iterator[Path]:
    """The files on this machine that parts of a network say they begin with."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _files_of_weights(value, name)
    elif isinstance(node, list):
        for part in node:
            yield from _files_of_weights(part, key)
    elif isinstance(node, str) and key in ("checkpoint", "pretrained") and Path(node).is_file():
        yield Path(node)


def _unreadable(checkpoint: Path, **how: Any) -> Exception | None:
    """Why a file cannot be read as ``read_weights`` does, if it cannot."""
    from tasks.store import UnreadableWeights, read_weights  # torch, where a configuration names such a file

    try:
        read_weights(checkpoint, **how)
    except UnreadableWeights as error:
        return error
    return None


def pooled_to_a_point(node: Any) -> str | None:
    """The type of a network's part that cannot be trained on one image at a time, or None.

    Batch normalisation of one value a channel has no variance; PyTorch refuses it.
    """
    if isinstance(node, list):
        return next((found for part in node if (found := pooled_to_a_point(part))), None)
    if not isinstance(node, dict):
        return None
    name = str(node.get("type")).rpartition(".")[2]
    # A head without norm_cfg has no normalisation; a backbone without one has batch normalisation.
    norm = node.get("norm_cfg", None if name.endswith("Head") else {"type": "BN"})
    normalises = isinstance(norm, dict) and str(norm.get("type")).rpartition(".")[2] in _BATCH_NORMS
    if name in POOLED_TO_A_POINT and normalises and 1 in node.get("pool_scales", (1,)):
        return name
    return pooled_to_a_point(list(node.values()))

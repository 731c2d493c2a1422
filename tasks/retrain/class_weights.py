"""Weights of the segmentation classes in the loss, so that thin ones count: by how rare they are in the real set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tasks.datasets import SampleTable
from tasks.retrain.config import RetrainConfig
from tasks.retrain.suitable import TrainingError


def weighted(config: RetrainConfig, real: SampleTable) -> RetrainConfig:
    """The same with ``class_weights: real`` as numbers: of the real training set, and so the same for every arm.

    Raises:
        TrainingError: the set has no masks.
    """
    training = config.segmentation
    if training is None or training.class_weights != "real":
        return config
    weights = class_weights(real)
    return config.model_copy(update={"segmentation": training.model_copy(update={"class_weights": weights})})


def class_weights(table: SampleTable) -> tuple[float, ...]:
    """The square root of (median frequency / frequency) of each class, to four digits.

    After median frequency balancing (Eigen and Fergus, ICCV 2015); the root keeps a class of a thousandth of the pixels
    from drowning the others. A frequency is a class's share of all labelled pixels; a class without any weighs 1.

    Raises:
        TrainingError: no image has a pixel of any class.
    """
    counts = [of_image for of_image in table.rows["class_pixels"].to_pylist() if of_image is not None]
    pixels = np.array(counts, np.float64).reshape(-1, len(table.info.classes)).sum(0)
    there = pixels > 0
    if not there.any():
        raise TrainingError(f"class_weights: real needs masks, but data set {table.info.dataset!r} has none")
    weights = np.ones(len(pixels))
    weights[there] = np.sqrt(np.median(pixels[there]) / pixels[there])
    return tuple(float(f"{w:.4g}") for w in weights)


def set_class_weights(model: Any, weights: tuple[float, ...]) -> None:
    """Give every loss of a segmentation model's heads class weights: the mean is then over labelled pixels, weighted.

    That mean, PyTorch's own, is mmseg's without ``avg_non_ignore``, whatever that name says; with it, mmseg indexes the
    weights of labelled pixels by all pixels and fails.

    Raises:
        TrainingError: the model has no cross-entropy over classes.
    """
    losses = list(weighable(model))
    if not losses:
        raise TrainingError("class_weights: the network has no CrossEntropyLoss (softmax) that they could weigh")
    for loss in losses:
        loss["class_weight"], loss["avg_non_ignore"] = list(weights), False


def weighable(node: Any) -> Iterator[Any]:
    """The cross-entropies over classes below a node of a network's configuration."""
    if isinstance(node, list | tuple):
        for part in node:
            yield from weighable(part)
    elif isinstance(node, dict):
        if str(node.get("type")).rpartition(".")[2] == "CrossEntropyLoss" and not node.get("use_sigmoid"):
            yield node
        yield from weighable(list(node.values()))

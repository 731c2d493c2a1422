"""The translator that a trained ResNet generator is, whatever method trained it."""

from __future__ import annotations

import torch

from tasks.translate.methods.base import Resources
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.weights import load_weights
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM, Learned


def load_generator(config: Learned, resources: Resources) -> WholeImageTranslator:
    """Load the weights of ``resources`` into the generator that ``config`` describes.

    Raises:
        ValueError: there are no weights.
        WeightsError: they cannot be read, or belong to another method or architecture.
    """
    if resources.weights is None:
        raise ValueError(f"{config.method} needs the weights of a trained generator, and none are given")
    network = ResnetGenerator(**config.generator.model_dump())
    load_weights(resources.weights, network, config.architecture())
    return WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device(resources.device), config.tile)

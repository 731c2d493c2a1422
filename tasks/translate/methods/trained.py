"""The translator that a trained ResNet generator is, whatever method trained it."""

from __future__ import annotations

import logging
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.compute import Precision, resolve_precision
from tasks.datasets import Sample, SampleTable
from tasks.translate.apply import translate_samples
from tasks.translate.methods.base import Resources
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.weights import load_weights
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM, Learned
from tasks.translate.upsampling import AppliedWidth

log = logging.getLogger(__name__)

_COMPARED = 4  # images, the first of the set
_LIMIT = 1.0  # grey levels of 255
_BOTH: tuple[Precision, ...] = ("bfloat16", "float32")


def load_generator(config: Learned, resources: Resources) -> WholeImageTranslator:
    """Load the weights of ``resources`` into the generator that ``config`` describes.

    Where it is to compute in bfloat16, the first images of the source set are translated in float32 as well, and the
    notes say by how many grey levels they differ on average. If it is more than one, or there is no source set,
    ``precision: auto`` is float32.

    Raises:
        ValueError: there are no weights.
        WeightsError: they cannot be read, or belong to another method or architecture.
        ImageError: one of the first images cannot be translated.
    """
    if resources.weights is None:
        raise ValueError(f"{config.method} needs the weights of a trained generator, and none are given")
    network = ResnetGenerator(**config.generator.model_dump())
    load_weights(resources.weights, network, config.architecture())
    at_width = AppliedWidth.of(config)
    device = torch.device(resources.device)
    translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, device, config.tile, at_width=at_width)
    if resolve_precision(config.precision, resources.device) == "bfloat16":
        _shorten(translator, resources.source, forced=config.precision == "bfloat16")
    translator.notes["precision"] = translator.precision
    return translator


def _shorten(translator: WholeImageTranslator, table: SampleTable | None, forced: bool) -> None:
    """Let it compute in bfloat16 if that is ``forced``, or changes the first images little enough."""
    difference = None
    if table is not None:
        difference = _difference(translator, table)
        translator.notes["difference_to_float32"] = round(difference, 3)
    if forced or (difference is not None and difference <= _LIMIT):
        translator.precision = "bfloat16"
    elif difference is not None:
        log.warning("in bfloat16, images differ by %.2f grey levels on average: float32 it is", difference)


def _difference(translator: WholeImageTranslator, table: SampleTable) -> float:
    """By how many grey levels bfloat16 changes the first translations, on average; leaves it in float32."""
    large_enough = (s for s in table if min(s.width, s.height) >= translator.minimum)
    found = []
    for sample in islice(large_enough, _COMPARED):
        short, exact = (_translated(translator, sample, precision) for precision in _BOTH)
        found.append(float(np.abs(short - exact).mean()))
    return sum(found) / max(1, len(found))


def _translated(translator: WholeImageTranslator, sample: Sample, precision: Precision) -> NDArray[np.float32]:
    translator.precision = precision
    return translate_samples([sample], translator)[0].astype(np.float32)

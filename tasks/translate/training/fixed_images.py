"""The images that a translator in training is validated on, and how its translations of them compare."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tasks.compute import ahead
from tasks.contracts import Validated
from tasks.datasets import (
    IGNORE,
    Sample,
    SampleTable,
    cielab,
    colour_statistics,
    frechet_distance,
    kernel_distance,
    mask_of,
    read_image,
    subset,
)
from tasks.translate.errors import TranslatorError
from tasks.translate.methods.base import Image
from tasks.translate.networks.pooled import Describe, pooled_efficientnet, resized
from tasks.translate.networks.resnet import MULTIPLE
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM, Learned
from tasks.translate.training.strips import Panels, shown_rows

Judge = Callable[[Image], NDArray[np.uint8]]  # RGB [H, W, 3] -> class indices [H, W]; frozen
_DIGITS = 6  # of what is found, and compared: as many as the log has


class _Described(NamedTuple):
    """An image's features ``[112]`` and colours ``[6]``; how many of its labelled pixels the judge read rightly."""

    feature: NDArray[np.float32]
    colour: NDArray[np.float64]
    right: int
    labelled: int


class FixedImages:
    """Images of both sides, drawn by the training's seed.

    Args:
        config: the method, whose training has a ``validation``.
        source, target: the two image sets.
        device: where to compute.
        judge: reads the classes of an image; then the images are drawn from the source's labelled ones.

    Raises:
        TranslatorError: a side has fewer images than are asked for, or a judge is asked for and there is none.
    """

    def __init__(
        self, config: Learned, source: SampleTable, target: SampleTable, device: torch.device, judge: Judge | None
    ) -> None:
        settings = config.training.validation
        assert settings is not None
        self._config, self._device, self._info = config, device, source.info
        self._judge = judge if settings.judge else None
        if settings.judge and judge is None:
            raise TranslatorError("training.validation.judge: this training is given no judge: set it to false")
        labelled = source.labelled("masks") if settings.judge else source
        self._source = _drawn("source", labelled, settings.images, config.training.seed)
        self._target = _drawn("target", target, settings.images, config.training.seed)

    def look(self, step: int, network: nn.Module | None) -> tuple[Validated, Panels]:
        """What a generator's translations are after so many steps, or, without one, the source itself; some to show.

        They are translated whole and at their own size, whatever is set for the application alone.

        Raises:
            ImageError: an image or a mask cannot be read.
        """
        found: list[_Described] = []
        panels: Panels = []
        shown = shown_rows(len(self._source))
        for k, (image, made, label) in enumerate(self._translated(network)):
            found.append(self._described(made, label))
            if k in shown:
                panels.append((image, made, read_image(self._target[self._nearest(found[-1])].image)))
        return self._compared(step, found), panels

    def _translated(self, network: nn.Module | None) -> Iterator[tuple[Image, Image, NDArray[np.uint8] | None]]:
        """Each image, its translation, and its label where there is a judge."""
        translate = None
        if network is not None:
            translate = WholeImageTranslator(network, MULTIPLE, MINIMUM, self._device, self._config.tile)
        for sample, (image, label) in zip(self._source, ahead(self._read, self._source), strict=True):
            yield image, translate([image], [sample.id])[0] if translate else image, label

    def _read(self, sample: Sample) -> tuple[Image, NDArray[np.uint8] | None]:
        return _image(sample), mask_of(sample, self._info) if self._judge is not None else None

    def _described(self, image: Image, label: NDArray[np.uint8] | None) -> _Described:
        feature, colour = self._describe(resized(image)[None])[0], colour_statistics(cielab(image))
        if label is None or self._judge is None:
            return _Described(feature, colour, 0, 0)
        counts = label != IGNORE
        right = (self._judge(image) == label) & counts
        return _Described(feature, colour, int(right.sum()), int(counts.sum()))

    @functools.cached_property
    def _describe(self) -> Describe:
        return pooled_efficientnet(str(self._device))

    @functools.cached_property
    def _real(self) -> list[_Described]:
        return [self._described(image, None) for image in ahead(_image, self._target)]

    def _nearest(self, described: _Described) -> int:
        """The target image whose features are nearest."""
        return int(np.argmin([np.linalg.norm(described.feature - real.feature) for real in self._real]))

    def _compared(self, step: int, found: list[_Described]) -> Validated:
        features, colours = ([np.stack([d[k] for d in of]) for of in (found, self._real)] for k in (0, 1))
        labelled = sum(d.labelled for d in found)
        return Validated(
            step=step,
            distance=round(kernel_distance(*features), _DIGITS),
            colour=round(frechet_distance(*colours), _DIGITS),
            accuracy=round(sum(d.right for d in found) / labelled, _DIGITS) if labelled else None,
        )


def _image(sample: Sample) -> Image:
    return read_image(sample.image)


def _drawn(side: str, table: SampleTable, images: int, seed: int) -> list[Sample]:
    if len(table) < images:
        raise TranslatorError(
            f"training.validation.images: {images} of the {side} set, which has {len(table)} for it: lower it"
        )
    return list(subset(table, images, seed))

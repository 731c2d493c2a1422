"""What a translation method is, to the code that applies and trains it."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.datasets import SampleTable

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Image = NDArray[np.uint8]  # RGB, [H, W, 3], 0-255


@dataclass(frozen=True)
class Resources:
    """What a translator may need beside its configuration.

    Attributes:
        target: the set whose look is wanted.
        weights: trained ones.
        device: where to compute.
        source: the set to translate.
        work: the folder that the translations are written to. What is only needed meanwhile has a place in there
            (``job.SCRATCH``), which is kept where the work is broken off.
    """

    target: SampleTable | None = None
    weights: Path | None = None
    device: str = "cpu"
    source: SampleTable | None = None
    work: Path | None = None


class ImageTranslator(Protocol):
    """Translates images. It is called from several threads at once."""

    batch_pixels: int  # how many pixels it takes at once; an image never counts as more than that
    minimum: int  # the smallest height and width it can translate, in pixels
    variants: int  # how many translations of an image to make; each comes under an id of its own

    @property
    def notes(self) -> Mapping[str, Any]:
        """What the manifest of the translated set should say of it."""

    def __call__(self, images: Sequence[Image], ids: Sequence[str]) -> list[Image]:
        """Translate images of one size; each result has exactly that size. What is drawn at random follows the id."""


class PerImage(ABC):
    """An ``ImageTranslator`` that treats each image by itself, without a network."""

    batch_pixels = 1
    minimum = 1
    variants = 1
    notes: Mapping[str, Any] = MappingProxyType({})

    def __call__(self, images: Sequence[Image], ids: Sequence[str]) -> list[Image]:
        return [self.translate(image, i) for image, i in zip(images, ids, strict=True)]

    @abstractmethod
    def translate(self, image: Image, sample_id: str) -> Image:
        """Translate one image; the result depends on these arguments only."""


@dataclass(frozen=True)
class Batch:
    """A training step's input.

    Attributes:
        source, target: crops ``[N, 3, crop, crop]`` in [-1, 1], unpaired.
        rng: the step's random numbers, on the CPU; a method uses no others, so any step can be repeated.
        step: the step's index, from 0.
    """

    source: Tensor
    target: Tensor
    rng: torch.Generator
    step: int


@dataclass(frozen=True)
class Adam:
    """An optimiser: which networks it steps, and how."""

    networks: tuple[str, ...]
    lr: float
    betas: tuple[float, float]
    weight_decay: float = 0.0
    amsgrad: bool = False
    clip: float | None = None  # the largest norm of its gradient

    def over(self, networks: nn.ModuleDict) -> torch.optim.Adam:
        """The optimiser of those of the networks that it steps."""
        import torch  # methods without a network do without

        parameters = [p for name in self.networks for p in networks[name].parameters()]
        return torch.optim.Adam(parameters, self.lr, self.betas, weight_decay=self.weight_decay, amsgrad=self.amsgrad)


class Learner(ABC):
    """A learned method under training: networks, weighted losses, optimisers, schedule. It holds no other state.

    Attributes:
        networks: by name; ``generator`` is the one whose moving average translates.
        optimisers: by the names that ``losses`` yields.
        weights: loss name -> its factor in the sum.
        notes: what the trained translator's card should say beside.
    """

    networks: nn.ModuleDict
    optimisers: dict[str, Adam]
    weights: dict[str, float]
    notes: Mapping[str, Any] = MappingProxyType({})

    @abstractmethod
    def losses(self, batch: Batch) -> Iterator[tuple[str, dict[str, Tensor]]]:
        """Yield, in the order of optimisation, an optimiser's name and the losses to step it on.

        The loop steps that optimiser before it asks for the next pair, so later losses see the updated networks.
        """

    @abstractmethod
    def schedule(self, step: int) -> float:
        """The factor on every learning rate at this step."""


def method_module(method: str) -> Any:
    """The module of a method by its name in the configuration."""
    return importlib.import_module(f"tasks.translate.methods.{method}")


def linear_decay(step: int, iterations: int, share: float) -> float:
    """1, then linearly towards 0 over the last ``share`` of the iterations (CycleGAN's schedule)."""
    falling = share * iterations
    return 1.0 if falling == 0 else min(1.0, (iterations - step) / falling)

"""Augmentation that depends on the seed and on the how-manieth image it is, and not on which process loads it.

A training with loaders draws the same augmentation as one without, and a resumed one goes on as it would have. Beyond
this are transforms that keep images between calls, as mmdet's ``CachedMosaic`` does: each loader has some of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.registry import DATA_SAMPLERS, DATASETS


@DATA_SAMPLERS.register_module()
class NumberedSampler(InfiniteSampler):  # type: ignore[misc]
    """mmengine's endless shuffled order, each index with the number of images drawn before it."""

    _skipped = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:  # type: ignore[override]
        """Yield (number, index)."""
        yield from enumerate(self.indices, self._skipped)

    def skip(self, num_samples: int) -> None:
        """Begin after so many images."""
        super().skip(num_samples)
        self._skipped = num_samples


@DATASETS.register_module()
class SeededDraws(torch.utils.data.Dataset[Any]):
    """A data set whose random numbers, in its transforms, are those of an image's number.

    Args:
        dataset: mmengine's configuration of the data set.
        seed: of the training.
    """

    def __init__(self, dataset: dict[str, Any], seed: int) -> None:
        self.dataset, self.seed = DATASETS.build(dataset), seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, draw: tuple[int, int]) -> Any:
        """The image of (number, index), as ``NumberedSampler`` gives them."""
        number, index = draw
        with seeded(self.seed, number):
            return self.dataset[index]

    def full_init(self) -> None:
        """Read the annotations, which mmengine asks for before loaders are started."""
        if hasattr(self.dataset, "full_init"):
            self.dataset.full_init()

    @property
    def metainfo(self) -> Any:
        """What mmengine asks a data set for."""
        return self.dataset.metainfo


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's generators of the CPU for a block; afterwards they are as before it."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    first, second, third = (int(n) for n in np.random.SeedSequence(numbers).generate_state(3))
    random.seed(first)
    np.random.seed(second)
    torch.default_generator.manual_seed(third)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])

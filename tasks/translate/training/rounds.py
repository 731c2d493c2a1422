"""Gradient accumulation: the batches of a step go through a method's rounds of losses side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.translate.methods.base import Batch, Learner
from tasks.translate.networks.whole_image import autocast, to_tensor
from tasks.translate.sections.learned import Training


def step_batches(
    step: int, source: NDArray[np.uint8], target: NDArray[np.uint8], training: Training, device: torch.device
) -> list[Batch]:
    """A step's crops, ``uint8 [N, crop, crop, 3]`` of each side, as ``training.accumulate`` batches on the device.

    Their random numbers are the same: what is drawn for a batch is drawn once a step.
    """
    seed = int(np.random.SeedSequence([training.seed, step]).generate_state(1, np.uint64)[0])
    sides = (to_tensor(side, device).chunk(training.accumulate) for side in (source, target))
    return [Batch(s, t, torch.Generator().manual_seed(seed), step) for s, t in zip(*sides, strict=True)]


def side_by_side(learner: Learner, batches: Sequence[Batch]) -> Iterator[tuple[int, str, dict[str, Tensor]]]:
    """Yield which batch, which optimiser, and the losses to step it on.

    All batches go through a method's first round, then that optimiser is to be stepped, then all go through the
    second. So a method that trains on means over a batch does what it would do with one large batch. What a batch
    keeps for its next round waits in host memory, which costs the transfer. What a method itself changes between
    rounds (a pool, a moving average of its own) it changes once a batch.
    """
    device = batches[0].source.device
    unfinished = {part: learner.losses(batch) for part, batch in enumerate(batches)}
    while unfinished:
        for part, rounds in list(unfinished.items()):
            with autocast(device), _waiting(device) if len(batches) > 1 else nullcontext():
                found = next(rounds, None)
            if found is None:
                del unfinished[part]
            else:
                yield part, *found


def _waiting(device: torch.device) -> torch.autograd.graph.save_on_cpu:
    return torch.autograd.graph.save_on_cpu(pin_memory=device.type == "cuda")

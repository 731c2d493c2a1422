"""Whether a training is sound: its numbers are finite, and its translations differ as their sources do."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.translate.errors import SetbackError
from tasks.translate.networks.whole_image import autocast, to_tensor
from tasks.translate.training.crops import TrainingImages
from tasks.translate.training.distributed import Ranks

PROBE = 8  # crops that collapse is measured on
LEAST_VARIETY = 0.02  # of the source's, below which the outputs count as collapsed


class Vitals:
    """Looks at one generator, on the same source crops each time.

    Attributes:
        probe: the crops, ``[N, 3, crop, crop]`` in [-1, 1].
        variety: of the generator's outputs, when last measured.
    """

    def __init__(self, generator: nn.Module, source: TrainingImages, device: torch.device, ranks: Ranks) -> None:
        self._generator, self._compiled, self._ranks = generator, source.training.compile, ranks
        self.probe = to_tensor(np.stack([source.crop(k) for k in range(PROBE)]), device)
        self.variety: dict[str, float] = {}

    def check(self, state: Iterable[Any], step: int) -> None:
        """Look at the generator, and at all numbers of the training's state, after so many steps.

        Raises:
            SetbackError: something is wrong: no checkpoint may hold that, or what follows from it.
        """
        # A batch of another size is not worth compiling for.
        plain = torch.compiler.set_stance("force_eager") if self._compiled else nullcontext()
        with autocast(self.probe.device), plain:
            found = measure_vitals(self._generator, self.probe, state)
        self._ranks.average([found])
        self.variety = check_vitals(found, step)


@torch.no_grad()
def measure_vitals(network: nn.Module, probe: Tensor, state: Iterable[Any]) -> Tensor:
    """What tells a sound training from a broken one, ``[3]``.

    Args:
        network: the generator.
        probe: source crops ``[N, 3, H, W]`` in [-1, 1].
        state: the training's state, as nested as it is saved.

    Returns:
        1 if every number of the state is finite, else 0; and the outputs' variety in shares of the inputs', as the
        spread within an image (the standard deviation over its pixels, averaged over channels and images) and the
        spread between images (the standard deviation over images, averaged over pixels and channels).
    """
    finite = torch.stack([t.isfinite().all().cpu() for t in _tensors(state)]).all().to(probe)
    made = network(probe).float()
    return torch.stack([finite, *(_kept(spread(probe), spread(made)) for spread in (_within, _between))])


def check_vitals(found: Tensor, step: int) -> dict[str, float]:
    """Judge what ``measure_vitals`` found after so many steps; returns the variety by name.

    Raises:
        SetbackError: a number is not finite, or the outputs have collapsed.
    """
    finite, within, between = found.tolist()
    if finite != 1:
        raise SetbackError(f"weights that are not finite at step {step}")
    for value, what in ((within, "within an image"), (between, "between images")):
        if not value >= LEAST_VARIETY:
            raise SetbackError(
                f"collapse at step {step}: the translations' spread {what} is {value:.1%} of the source's"
            )
    return {"within": round(within, 4), "between": round(between, 4)}


def _kept(before: Tensor, after: Tensor) -> Tensor:
    """What is left of a spread; all of it, where sources that are all the same had none."""
    return torch.where(before > 1e-6, after / before.clamp_min(1e-6), 1.0)


def _within(x: Tensor) -> Tensor:
    return x.std(dim=(2, 3)).mean()


def _between(x: Tensor) -> Tensor:
    return x.std(dim=0).mean()


def _tensors(state: Any) -> Iterable[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict):
        yield from _tensors(state.values())
    elif isinstance(state, Iterable) and not isinstance(state, str):
        for part in state:
            yield from _tensors(part)

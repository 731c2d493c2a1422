"""Whether a training is sound: its numbers are finite, and its translations differ as their sources do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tasks.translate.errors import SetbackError

PROBE = 8  # crops that collapse is measured on
LEAST_VARIETY = 0.02  # of the source's, below which the outputs count as collapsed


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

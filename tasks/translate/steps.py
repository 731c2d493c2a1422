"""One step of a training: losses, gradients, optimisers, and the generator's moving average."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.translate.config import Training
from tasks.translate.distributed import Ranks
from tasks.translate.methods.base import Batch, Learner
from tasks.translate.networks.whole_image import memory_format, mixed_precision, to_tensor


class Stepper:
    """Steps a method's optimisers, in bfloat16 where the hardware has it.

    Args:
        learner: the method; its networks are moved to the device.
        training: the section of the configuration.
        device: where to compute.
        ranks: this process among those that train together.
    """

    def __init__(self, learner: Learner, training: Training, device: torch.device, ranks: Ranks) -> None:
        self.learner, self.training, self.device, self.ranks = learner, training, device, ranks
        self.networks = learner.networks.to(device).train()
        self.networks.to(memory_format=memory_format(device))  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.networks["generator"]).requires_grad_(False).eval()
        self.optimisers = {name: self._optimiser(name) for name in learner.optimisers}

    def step(
        self, step: int, source: NDArray[np.uint8], target: NDArray[np.uint8], lr_factor: float
    ) -> dict[str, Tensor]:
        """One step on one batch or more: each optimiser is stepped on the mean gradient of all batches and ranks.

        The batches go through a method's rounds side by side: all of them through the first, then that optimiser's
        step, then all through the second. So a method that trains on means over a batch does what it would do with
        one large batch. What a batch keeps for its next round waits in host memory, which costs the transfer. What a
        method itself changes between rounds (a pool, a moving average of its own) it changes once a batch.

        Args:
            step: the step's index, from 0.
            source, target: crops ``uint8 [N, crop, crop, 3]``, of all batches.
            lr_factor: on every learning rate, beside the method's own schedule.

        Returns:
            The losses by name, means over batches and ranks.
        """
        batches = self._batches(step, source, target)
        passes = [self.learner.losses(batch) for batch in batches]
        factor = self.learner.schedule(step) * lr_factor
        values: dict[str, Tensor] = {}
        pending = True
        while pending:
            for part, rounds in enumerate(passes):
                found = self._next_losses(rounds, waits=len(batches) > 1)
                if found is None:
                    pending = False
                    continue
                name, losses = found
                self.optimise(name, losses, factor, part, len(batches))
                for n, v in losses.items():
                    values[n] = values.get(n, 0) + v.detach() / len(batches)
        self._update_average(step)
        self.ranks.follow_first(self.networks)
        self.ranks.average(list(values.values()))
        return values

    def precision(self) -> torch.autocast:
        """The context that networks run in."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed_precision(self.device))

    def state(self) -> dict[str, Any]:
        """All that a step changes."""
        return {
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go back to a ``state``."""
        self.networks.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])

    def optimise(self, name: str, losses: dict[str, Tensor], factor: float, part: int = 0, parts: int = 1) -> None:
        """Add the gradients of one of the step's batches; after the last of them, step the optimiser."""
        optimiser = self.optimisers[name]
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        if part == 0:
            optimiser.zero_grad(set_to_none=True)
        total = torch.stack([self.learner.weights[n] * v for n, v in losses.items()]).sum() / parts
        # Gradients of this optimiser's networks only: the others' are neither computed nor left behind.
        total.backward(inputs=parameters)  # type: ignore[no-untyped-call]
        if part < parts - 1:
            return
        self.ranks.average([p.grad for p in parameters if p.grad is not None])
        if (clip := self.learner.optimisers[name].clip) is not None:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        for group in optimiser.param_groups:
            group["lr"] = self.learner.optimisers[name].lr * factor
        optimiser.step()

    def _batches(self, step: int, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> list[Batch]:
        """A step's batches. Their random numbers are the same: what is drawn for a batch is drawn once a step."""
        seed = int(np.random.SeedSequence([self.training.seed, step]).generate_state(1, np.uint64)[0])
        sides = (to_tensor(side, self.device).chunk(self.training.accumulate) for side in (source, target))
        return [Batch(s, t, torch.Generator().manual_seed(seed), step) for s, t in zip(*sides, strict=True)]

    def _next_losses(
        self, rounds: Iterator[tuple[str, dict[str, Tensor]]], waits: bool
    ) -> tuple[str, dict[str, Tensor]] | None:
        pinned = self.device.type == "cuda"
        place = torch.autograd.graph.save_on_cpu(pin_memory=pinned) if waits else nullcontext()
        with self.precision(), place:
            return next(rounds, None)

    def _optimiser(self, name: str) -> torch.optim.Optimizer:
        adam = self.learner.optimisers[name]
        parameters = [p for network in adam.networks for p in self.networks[network].parameters()]
        return torch.optim.Adam(parameters, adam.lr, adam.betas, weight_decay=adam.weight_decay, amsgrad=adam.amsgrad)

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        # A short memory at first, or a short training would be translated by its initial weights.
        decay = min(self.training.ema, (1 + step) / (10 + step))
        for average, new in zip(self.average.parameters(), self.networks["generator"].parameters(), strict=True):
            average.lerp_(new, 1 - decay)

"""The one training loop of all learned methods: seeded, resumable to the exact step.

Crops and random numbers are functions of (seed, step), so the state is the networks, the optimisers, the generator's
moving average and the step; on a CPU a resumed training ends with the same bits as an uninterrupted one.
"""

from __future__ import annotations

import copy
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tasks.datasets.table import SampleTable
from tasks.progress import progress
from tasks.store import write_json
from tasks.translate import checkpoints
from tasks.translate.config import Learned
from tasks.translate.crops import Side, crop_batches
from tasks.translate.losslog import LossLog
from tasks.translate.methods.base import Batch, Learner, method_module
from tasks.translate.networks.weights import save_weights
from tasks.translate.networks.whole_image import memory_format, mixed_precision, to_tensor
from tasks.translate.samples import write_samples

log = logging.getLogger(__name__)

WEIGHTS = "weights.safetensors"
CARD = "card.json"


class Trainer:
    """Trains a learned method in a folder.

    Args:
        config: the method.
        source, target: the two image sets.
        folder: where checkpoints, samples, the log and the result go.
        device: where to compute; chosen if absent.
    """

    def __init__(
        self, config: Learned, source: SampleTable, target: SampleTable, folder: Path, device: str | None = None
    ) -> None:
        self.config = config
        self.folder = folder
        self.device = torch.device(device or pick_device())
        self.source = Side.of("source", source, config.training)
        self.target = Side.of("target", target, config.training)
        rng = torch.Generator().manual_seed(config.training.seed)
        self.learner: Learner = method_module(config.method).build(config, rng)
        self.networks = self.learner.networks.to(self.device).train()
        self.networks.to(memory_format=memory_format(self.device))
        self.average = copy.deepcopy(self.networks["generator"]).requires_grad_(False).eval()
        self.optimisers = {name: self._optimiser(name) for name in self.learner.optimisers}
        self.log = LossLog(folder / "log.jsonl", every=max(1, min(50, config.training.iterations // 50)))
        self.step = 0  # steps done
        self.seconds = 0.0

    def run(self, card: dict[str, Any] | None = None) -> dict[str, Any]:
        """Train to the end and write ``weights.safetensors`` and ``card.json``, the latter with ``card``'s entries.

        Returns:
            What ``card.json`` holds.

        Raises:
            TrainingError: a loss is not finite.
        """
        training = self.config.training
        self._resume()
        begun, before = time.perf_counter(), self.seconds
        remaining = range(self.step, training.iterations)
        batches = crop_batches(self.source, self.target, remaining)
        for step, source, target in progress(batches, len(remaining), f"training {self.config.name}"):
            self._train_step(step, source, target)
            self.step, self.seconds = step + 1, before + time.perf_counter() - begun
            if self.step % training.sample_every == 0 or self.step == training.iterations:
                write_samples(self.folder / "samples" / f"{self.step:07d}.png", self.average, self.source, self.target)
            if self.step % training.checkpoint_every == 0 and self.step < training.iterations:
                checkpoints.save(self.folder, self.step, self._state())
                log.info("%s: step %d of %d, %s", self.config.name, self.step, training.iterations, self.log.summary())
        return self._finish(card or {})

    def _train_step(self, step: int, source: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> None:
        seed = int(np.random.SeedSequence([self.config.training.seed, step]).generate_state(1, np.uint64)[0])
        rng = torch.Generator().manual_seed(seed)
        batch = Batch(to_tensor(source, self.device), to_tensor(target, self.device), rng, step)
        factor = self.learner.schedule(step)
        values: dict[str, Tensor] = {}
        rounds = self.learner.losses(batch)
        while (found := self._next_losses(rounds)) is not None:
            name, losses = found
            self._optimise(name, losses, factor)
            values |= {n: v.detach() for n, v in losses.items()}
        self._update_average(step)
        self.log.add(step, values, last=step + 1 == self.config.training.iterations)

    def _next_losses(self, rounds: Any) -> tuple[str, dict[str, Tensor]] | None:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed_precision(self.device)):
            found: tuple[str, dict[str, Tensor]] | None = next(rounds, None)
            return found

    def _optimise(self, name: str, losses: dict[str, Tensor], factor: float) -> None:
        optimiser = self.optimisers[name]
        for group in optimiser.param_groups:
            group["lr"] = self.learner.optimisers[name].lr * factor
        optimiser.zero_grad(set_to_none=True)
        total = torch.stack([self.learner.weights[n] * v for n, v in losses.items()]).sum()
        # Gradients of this optimiser's networks only: the others' are neither computed nor left behind.
        total.backward(  # type: ignore[no-untyped-call]
            inputs=[p for group in optimiser.param_groups for p in group["params"]]
        )
        optimiser.step()

    def _optimiser(self, name: str) -> torch.optim.Optimizer:
        adam = self.learner.optimisers[name]
        parameters = [p for network in adam.networks for p in self.networks[network].parameters()]
        return torch.optim.Adam(parameters, adam.lr, adam.betas, weight_decay=adam.weight_decay)

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        # A short memory at first, or a short training would be translated by its initial weights.
        decay = min(self.config.training.ema, (1 + step) / (10 + step))
        for average, new in zip(self.average.parameters(), self.networks["generator"].parameters(), strict=True):
            average.lerp_(new, 1 - decay)

    def _state(self) -> dict[str, Any]:
        self.log.check()  # a checkpoint never holds what follows from a loss that is not finite
        return {
            "step": self.step,
            "seconds": self.seconds,
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
            "log": self.log.pending(),
        }

    def _resume(self) -> None:
        state = checkpoints.newest(self.folder, self.device)
        if state is not None:
            self.networks.load_state_dict(state["networks"])
            self.average.load_state_dict(state["average"])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            self.step, self.seconds = state["step"], state["seconds"]
            log.info("%s: resumed at step %d", self.config.name, self.step)
        self.log.rewind(self.step, state["log"] if state else [])

    def _finish(self, card: dict[str, Any]) -> dict[str, Any]:
        save_weights(self.folder / WEIGHTS, dict(self.average.named_parameters()))
        whole = {
            "method": self.config.method,
            "paper": method_module(self.config.method).PAPER,
            "config": self.config.training_slice(),
            "iterations": self.step,
            "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in self.networks.items()},
            "losses": self.log.last(),
            "seconds": round(self.seconds, 1),
            "iterations_per_second": round(self.step / self.seconds, 2) if self.seconds else None,
            "device": device_name(self.device),
            "source_images": len(self.source.paths),
            "target_images": len(self.target.paths),
            **card,
        }
        write_json(self.folder / CARD, whole)
        checkpoints.remove(self.folder)
        return whole


def pick_device() -> str:
    """``cuda`` where there is a GPU, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name(device: torch.device) -> str:
    """The device in words, such as a GPU's name or ``CPU, 2 threads``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"

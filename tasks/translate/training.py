"""The one training loop of all learned methods: seeded, resumable to the exact step.

Crops and random numbers are functions of (seed, step), so the state is the networks, the optimisers, the generator's
moving average, the rollbacks and the step; on a CPU a resumed training ends with the same bits as an uninterrupted one.
"""

from __future__ import annotations

import functools
import logging
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tasks.compute import device_name, pick_device, with_progress
from tasks.datasets import SampleTable
from tasks.store import write_json
from tasks.translate import checkpoints, rollback
from tasks.translate.board import Board
from tasks.translate.compiling import compile_generator
from tasks.translate.config import Learned
from tasks.translate.crops import Side, crop_batches
from tasks.translate.distributed import Ranks
from tasks.translate.losslog import LossLog, SetbackError, TranslatorError
from tasks.translate.methods.base import Learner, method_module
from tasks.translate.networks.weights import save_weights
from tasks.translate.networks.whole_image import to_tensor
from tasks.translate.samples import write_samples
from tasks.translate.steps import Stepper

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
        board: the folder of TensorBoard's files; none are written if absent.
        ranks: this process among those that train together, each in the same folder.

    Raises:
        TranslatorError: the configuration does not fit the sets or the processes.
    """

    def __init__(
        self,
        config: Learned,
        source: SampleTable,
        target: SampleTable,
        folder: Path,
        device: str | None = None,
        board: Path | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.config = config
        self.folder = folder
        self.device = torch.device(device or pick_device())
        self.ranks = ranks = ranks or Ranks()
        if config.training.batch % ranks.count:
            raise TranslatorError(f"training.batch {config.training.batch} cannot be shared by {ranks.count} processes")
        self.source = Side.of("source", source, config.training)
        self.target = Side.of("target", target, config.training)
        rng = torch.Generator().manual_seed(config.training.seed)
        self.learner: Learner = method_module(config.method).build(config, rng)
        self.stepper = Stepper(self.learner, config.training, self.device, ranks)
        self.networks, self.average = self.stepper.networks, self.stepper.average
        self.board = Board(board if ranks.first else None)
        every = max(1, min(50, config.training.iterations // 50))
        self.log = LossLog(folder / "log.jsonl" if ranks.first else None, every, self.board.losses)
        self.step = 0  # steps done
        self.seconds = 0.0
        self.rollbacks: list[rollback.Rollback] = []
        self.variety: dict[str, float] = {}  # of the generator's outputs, when last measured

    def run(self, card: dict[str, Any] | None = None) -> dict[str, Any]:
        """Train to the end and write ``weights.safetensors`` and ``card.json``, the latter with ``card``'s entries.

        Returns:
            What ``card.json`` holds.

        Raises:
            TranslatorError: it went wrong again and again; the message says how.
        """
        if self.config.training.compile:
            with self.stepper.precision():
                compile_generator(self.networks["generator"], self._probe[: self.config.training.batch])
        self._resume()
        while (why := self._train()) is not None:
            self._roll_back(why)
        self.board.close()
        return self._finish(card or {})

    def _train(self) -> str | None:
        """Train on, to the end (None) or until something is wrong (what)."""
        training = self.config.training
        begun, before = time.perf_counter(), self.seconds
        remaining = range(self.step, training.iterations)
        batches = crop_batches(self.source, self.target, remaining, self.ranks.rank, self.ranks.count)
        try:
            for step, source, target in with_progress(batches, len(remaining), f"training {self.config.name}"):
                self._train_step(step, source, target)
                self.step, self.seconds = step + 1, before + time.perf_counter() - begun
                self._after_step(last=self.step == training.iterations)
        except SetbackError as error:
            return str(error)
        return None

    def _after_step(self, last: bool) -> None:
        training = self.config.training
        save = self.step % training.checkpoint_every == 0
        if save or last:
            self._check()
        if self.ranks.first and (last or self.step % training.sample_every == 0):
            path = self.folder / "samples" / f"{self.step:07d}.png"
            write_samples(path, self.average, self.source, self.target)
            self.board.samples(self.step, path)
        if save and not last:
            self._save()
            log.info("%s: step %d of %d, %s", self.config.name, self.step, training.iterations, self.log.summary())

    def _train_step(self, step: int, source: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> None:
        values = self.stepper.step(step, source, target, rollback.lr_factor(self.rollbacks))
        self.log.add(step, values, last=step + 1 == self.config.training.iterations)

    @functools.cached_property
    def _probe(self) -> Tensor:
        """Source crops that the generator is tried on."""
        return to_tensor(np.stack([self.source.crop(k) for k in range(rollback.PROBE)]), self.device)

    def _check(self) -> None:
        """Raise SetbackError if something is wrong: no checkpoint may hold that, or what follows from it."""
        self.log.check()
        # A batch of another size is not worth compiling for.
        plain = torch.compiler.set_stance("force_eager") if self.config.training.compile else nullcontext()
        with self.stepper.precision(), plain:
            found = rollback.vitals(self.networks["generator"], self._probe, self._state())
        self.ranks.average([found])
        self.variety = rollback.check_vitals(found, self.step)

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "seconds": self.seconds,
            **self.stepper.state(),
            "rollbacks": self.rollbacks,
            "log": self.log.pending(),
        }

    def _save(self) -> None:
        if self.ranks.first:
            checkpoints.save(self.folder, self.step, self._state())

    def _resume(self) -> None:
        state = self._restore()
        if state is None:
            self._save()  # what there is to go back to before the first checkpoint
        else:
            self.rollbacks = state["rollbacks"]
            log.info("%s: resumed at step %d", self.config.name, self.step)
        self._rewind(state)

    def _roll_back(self, why: str) -> None:
        """Go back to the newest checkpoint and halve the learning rate; saved there, for a resumed run to know."""
        rollback.check_may_roll_back(self.rollbacks, why)
        state = self._restore()
        factor = rollback.lr_factor(self.rollbacks) / 2
        self.rollbacks = [*self.rollbacks, {"step": self.step, "rollback": why, "lr_factor": factor}]
        self._rewind(state)
        self._save()
        log.warning("%s: %s: rolled back to step %d, lr x %g", self.config.name, why, self.step, factor)

    def _restore(self) -> dict[str, Any] | None:
        """Load the newest checkpoint that opens, if there is one."""
        state = self.ranks.first_before_others(lambda: checkpoints.newest(self.folder, self.device))
        if state is not None:
            self.stepper.load(state)
            self.step, self.seconds = state["step"], state["seconds"]
        return state

    def _rewind(self, state: dict[str, Any] | None) -> None:
        self.log.rewind(self.step, state["log"] if state else [], self.rollbacks)
        self.board.begin(self.step)

    def _finish(self, card: dict[str, Any]) -> dict[str, Any]:
        whole = {
            "method": self.config.method,
            "paper": method_module(self.config.method).PAPER,
            "config": self.config.training_slice(),
            "iterations": self.step,
            "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in self.networks.items()},
            "losses": self.log.last(),
            "variety": self.variety,
            "rollbacks": self.rollbacks,
            "seconds": round(self.seconds, 1),
            "iterations_per_second": round(self.step / self.seconds, 2) if self.seconds else None,
            "device": device_name(self.device),
            "processes": self.ranks.count,
            "source_images": len(self.source.paths),
            "target_images": len(self.target.paths),
            **self.learner.notes,
            **card,
        }
        if self.ranks.first:
            save_weights(self.folder / WEIGHTS, dict(self.average.named_parameters()), self.config.architecture())
            write_json(self.folder / CARD, whole)
            checkpoints.remove(self.folder)
        return whole

"""The training of a translator, from its data to its card: one loop for all learned methods.

Crops and random numbers are functions of (seed, step), so the state is the networks, the optimisers, the generator's
moving average, the rollbacks, the validations and the step; on a CPU a resumed training ends with the same bits as an
uninterrupted one.
"""

from __future__ import annotations

import copy
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.compute import resolve_device, with_progress
from tasks.contracts import TranslatorCard
from tasks.datasets import SampleTable
from tasks.store import write_json
from tasks.translate.errors import SetbackError, TranslatorError
from tasks.translate.job import WEIGHTS
from tasks.translate.methods.base import Learner, method_module
from tasks.translate.networks.weights import save_weights
from tasks.translate.networks.whole_image import autocast, memory_format
from tasks.translate.sections.learned import Learned
from tasks.translate.training import checkpoints
from tasks.translate.training.board import Board
from tasks.translate.training.compiling import compile_generator
from tasks.translate.training.crops import TrainingImages, crop_batches
from tasks.translate.training.distributed import Ranks
from tasks.translate.training.fixed_images import Judge
from tasks.translate.training.losslog import LossLog
from tasks.translate.training.rounds import side_by_side, step_batches
from tasks.translate.training.samples import write_samples
from tasks.translate.training.strips import remove_columns
from tasks.translate.training.training_card import training_card
from tasks.translate.training.validation import Validator, note_of
from tasks.translate.training.vitals import Vitals

log = logging.getLogger(__name__)

ROLLBACKS = 3  # of one training, at most


class Trainer:
    """Trains a learned method in a folder.

    Args:
        config: the method.
        source, target: the two image sets.
        folder: where checkpoints, samples, the log and the result go.
        device: where to compute; chosen if absent.
        board: the folder of TensorBoard's files; none are written if absent.
        ranks: this process among those that train together, each in the same folder.
        judge: reads the classes of an image, where ``training.validation`` asks for one.

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
        judge: Judge | None = None,
    ) -> None:
        self.config, self.training, self.folder = config, (training := config.training), folder
        self.device, self.ranks = torch.device(device or resolve_device()), (ranks := ranks or Ranks())
        if training.batch % ranks.count:
            raise TranslatorError(f"training.batch {training.batch} cannot be shared by {ranks.count} processes")

        # Data.
        self.source = TrainingImages.of("source", source, training)
        self.target = TrainingImages.of("target", target, training)

        # Networks, their optimisers, and the generator's moving average, which is what translates.
        rng = torch.Generator().manual_seed(training.seed)
        self.learner: Learner = method_module(config.method).build(config, rng)
        self.networks = self.learner.networks.to(self.device).train()
        self.networks.to(memory_format=memory_format(self.device))  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.networks["generator"]).requires_grad_(False).eval()
        self.optimisers = {name: adam.over(self.networks) for name, adam in self.learner.optimisers.items()}

        # What is looked at on the way.
        self.vitals = Vitals(self.networks["generator"], self.source, self.device, ranks)
        self.validator = Validator(config, source, target, folder, self.device, judge, ranks)

        # What is told.
        self.board = Board(board if ranks.first else None)
        every = max(1, min(50, training.iterations // 50))
        self.log = LossLog(folder / "log.jsonl" if ranks.first else None, every, self.board.losses)

        # How far it is.
        self.step = 0  # steps done
        self.seconds = 0.0
        self.rollbacks: list[dict[str, Any]] = []  # as in log.jsonl: step (gone back to), rollback (why), lr_factor

    def run(self, card: dict[str, Any] | None = None) -> dict[str, Any]:
        """Train to the end and write ``weights.safetensors`` and ``card.json``, the latter with ``card``'s entries.

        Returns:
            What ``card.json`` holds.

        Raises:
            TranslatorError: it went wrong again and again; the message says how.
        """
        if self.training.compile:
            with autocast(self.device):
                compile_generator(self.networks["generator"], self.vitals.probe[: self.training.batch])
        self.resume()
        while self.step < self.training.iterations and not self.validator.hopeless:
            try:
                self._train()
            except SetbackError as error:
                self._roll_back(str(error))
        return self._finish(card or {})

    def times(self) -> dict[str, float | None]:
        """How long it trained in all its processes, one after the other, and how fast: told beside the card."""
        validated = self.validator.seconds
        speed = round(self.step / (self.seconds - validated), 2) if self.seconds else None
        seconds = {"training_seconds": round(self.seconds, 1), "validation_seconds": round(validated, 1)}
        return {**seconds, "iterations_per_second": speed}

    def resume(self) -> None:
        """Go on from the newest checkpoint; without one, save what there is to go back to before the first."""
        if (state := self._restore()) is not None:
            self.rollbacks = state["rollbacks"]
            log.info("%s: resumed at step %d", self.config.name, self.step)
        self._rewind(state)
        if state is None:
            self._validate(None)
            self.seconds = self.validator.seconds
            self._save()

    def _train(self) -> None:
        """Train on to the end, or raise SetbackError where something went wrong.

        The end is the last step, or a validation after which there is no hope of a better one.
        """
        training = self.training
        begun, before = time.perf_counter(), self.seconds
        remaining = range(self.step, training.iterations)
        batches = crop_batches(self.source, self.target, remaining, self.ranks.rank, self.ranks.count)
        for step, source, target in with_progress(batches, len(remaining), f"training {self.config.name}"):
            losses = self.train_step(step, source, target)
            last = step + 1 == training.iterations
            self.log.add(step, losses, last=last)
            self.step = step + 1
            save = self.step % training.checkpoint_every == 0
            validate = self.validator.is_due(self.step, last)
            if save or last or validate:
                self.log.check()
                self.vitals.check(self._state(), self.step)
            if validate:
                self._validate(self.average)
                last = last or self.validator.hopeless
            if last or self.step % training.sample_every == 0:
                self._sample()
            self.seconds = before + time.perf_counter() - begun
            if last:
                self.log.flush(self.step)
                return
            if save:
                self._save()
                log.info("%s: step %d of %d, %s", self.config.name, self.step, training.iterations, self.log.summary())

    def train_step(self, step: int, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> dict[str, Tensor]:
        """Step each optimiser once, on the mean gradient of all batches and ranks, and the moving average after them.

        Args:
            step: the step's index, from 0.
            source, target: crops ``uint8 [N, crop, crop, 3]``, of all batches.

        Returns:
            The losses by name, means over batches and ranks.
        """
        batches = step_batches(step, source, target, self.training, self.device)
        lr_factor = self.learner.schedule(step) * 0.5 ** len(self.rollbacks)
        values: dict[str, Tensor] = {}
        for part, name, losses in side_by_side(self.learner, batches):
            self.optimise(name, losses, lr_factor, part, len(batches))
            for n, v in losses.items():
                values[n] = values.get(n, 0) + v.detach() / len(batches)
        self._update_average(step)
        self.ranks.follow_first(self.networks)
        self.ranks.average(list(values.values()))
        return values

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

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        # A short memory at first, or a short training would be translated by its initial weights.
        decay = min(self.training.ema, (1 + step) / (10 + step))
        for average, new in zip(self.average.parameters(), self.networks["generator"].parameters(), strict=True):
            average.lerp_(new, 1 - decay)

    def _roll_back(self, why: str) -> None:
        """Go back to the newest checkpoint and halve the learning rate; saved there, for a resumed run to know."""
        if len(self.rollbacks) >= ROLLBACKS:
            raise TranslatorError(
                f"{why}, after {ROLLBACKS} rollbacks that each halved the learning rate: training stopped; "
                "lower training.lr, or raise training.batch or training.accumulate, and train again"
            )
        state = self._restore()
        factor = 0.5 ** (len(self.rollbacks) + 1)
        self.rollbacks = [*self.rollbacks, {"step": self.step, "rollback": why, "lr_factor": factor}]
        self._rewind(state)
        self._save()
        log.warning("%s: %s: rolled back to step %d, lr x %g", self.config.name, why, self.step, factor)

    def _restore(self) -> dict[str, Any] | None:
        """Load the newest checkpoint that opens, if there is one."""
        state = self.ranks.first_before_others(lambda: checkpoints.newest(self.folder, self.device))
        if state is not None:
            self.step, self.seconds = state["step"], state["seconds"]
            self.networks.load_state_dict(state["networks"])
            self.average.load_state_dict(state["average"])
            for name, optimiser in self.optimisers.items():
                optimiser.load_state_dict(state["optimisers"][name])
            self.validator.restore(state["validation"])
        return state

    def _rewind(self, state: dict[str, Any] | None) -> None:
        """What is told of later steps is void."""
        notes = [*map(note_of, self.validator.history), *self.rollbacks]
        self.log.rewind(self.step, state["log"] if state else [], notes)
        self.board.begin(self.step)

    def _save(self) -> None:
        if self.ranks.first:
            checkpoints.save(self.folder, self.step, self._state())

    def _state(self) -> dict[str, Any]:
        """All that a training changes."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers.items()},
            "rollbacks": self.rollbacks,
            "log": self.log.pending(),
            "validation": self.validator.state(),
        }

    def _validate(self, network: nn.Module | None) -> None:
        """Validate a generator, or, without one, what it is to translate."""
        if (validated := self.validator.validate(self.step, network)) is not None:
            self.log.note(note_of(validated))
            self.board.validation(validated)
            log.info("%s: step %d, %s", self.config.name, self.step, self.validator.summary())

    def _sample(self) -> None:
        if self.ranks.first:
            path = self.folder / "samples" / f"{self.step:07d}.png"
            write_samples(path, self.average, self.source, self.target)
            self.board.samples(self.step, path)

    def _finish(self, card: dict[str, Any]) -> dict[str, Any]:
        whole = {**training_card(self), **card}
        if self.ranks.first:
            if (strip := self.validator.strip()) is not None:
                self.board.samples(self.step, strip, "validation")
            weights = self.validator.weights(self.average)
            save_weights(self.folder / WEIGHTS, weights, self.config.architecture())
            write_json(self.folder / TranslatorCard.FILE, TranslatorCard(**whole).content())
            checkpoints.remove(self.folder)
            remove_columns(self.folder)
        self.board.close()
        return whole

"""Validation of a translator in training: what was found so far, which step is kept, and whether to go on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tasks.contracts import KeptStep, Validated
from tasks.datasets import SampleTable
from tasks.translate.sections.learned import Learned
from tasks.translate.training.distributed import Ranks
from tasks.translate.training.fixed_images import FixedImages, Judge
from tasks.translate.training.keeping import best_step, is_hopeless
from tasks.translate.training.strips import write_column, write_strip

STRIP = "strip.png"


class Validator:
    """Validates a generator on images that stay the same, and remembers what it found.

    Where the training has no ``validation``, it does nothing, and keeps the last weights.

    Args:
        config: the method.
        source, target: the two image sets.
        folder: the training's.
        device: where to compute.
        judge: reads the classes of an image, where one is asked for; the first rank's.
        ranks: this process among those that train together: the first one validates, and tells the others.

    Attributes:
        history: what was found, the source's own values first.
        best: the parameters of the best step's generator, once there was a validation.
        seconds: what validating took.

    Raises:
        TranslatorError: what is asked for cannot be had: see ``FixedImages``.
    """

    def __init__(
        self,
        config: Learned,
        source: SampleTable,
        target: SampleTable,
        folder: Path,
        device: torch.device,
        judge: Judge | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self._settings, self._folder, self._ranks = config.training.validation, folder, ranks or Ranks()
        if self._settings is not None and self._ranks.first:
            self._images = FixedImages(config, source, target, device, judge)
        self.history: list[Validated] = []
        self.best: dict[str, Tensor] = {}
        self.seconds = 0.0

    def is_due(self, step: int, last: bool) -> bool:
        """Whether there is a validation after so many steps."""
        return self._settings is not None and (last or step % self._settings.every == 0)

    def validate(self, step: int, network: nn.Module | None) -> Validated | None:
        """Look at a generator's translations after so many steps, or, without one, at the source itself.

        Of the best step, the generator's parameters are remembered, too.

        Raises:
            ImageError: an image or a mask cannot be read.
        """
        if self._settings is None:
            return None
        begun = time.perf_counter()
        validated = self._ranks.from_first(self._looked(step, network) if self._ranks.first else None)
        assert validated is not None  # the first rank's
        self.history.append(validated)
        if network is not None and self._best().step == step:
            self.best = _parameters(network)
        self.seconds += time.perf_counter() - begun
        return validated

    @property
    def hopeless(self) -> bool:
        """Whether to stop: see ``is_hopeless``."""
        return self._settings is not None and is_hopeless(self.history, self._settings.margin, self._settings.patience)

    def kept(self) -> KeptStep:
        """The step whose weights are the translator's; there was a validation."""
        if self._settings is not None and self._settings.keeps_best:
            return self._best()
        return KeptStep(step=self.history[-1].step, why="last")

    def weights(self, last: nn.Module) -> dict[str, Tensor]:
        """The parameters that are kept: the best step's, or the last generator's."""
        return self.best if self._settings is not None and self._settings.keeps_best else _parameters(last)

    def strip(self) -> Path | None:
        """Draw the training's strip into its folder; None where nothing was validated."""
        if self._settings is None:
            return None
        write_strip(path := self._folder / STRIP, [v.step for v in self.history], self.kept().step)
        return path

    def summary(self) -> str:
        """What the newest validation found, for people; in brackets, the source's own."""
        own, new = (_values(v) for v in (self.history[0], self.history[-1]))
        return ", ".join(f"{name} {value:.4g} ({own[name]:.4g})" for name, value in new.items())

    def state(self) -> dict[str, Any]:
        """All that a validation changes, as plain values and tensors."""
        history = [v.model_dump() for v in self.history]
        return {"history": history, "best": dict(self.best), "seconds": self.seconds}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state: what was found later is void."""
        self.history = [Validated(**v) for v in state["history"]]
        self.best, self.seconds = dict(state["best"]), state["seconds"]

    def _best(self) -> KeptStep:
        assert self._settings is not None
        return best_step(self.history, self._settings.margin)

    def _looked(self, step: int, network: nn.Module | None) -> Validated:
        validated, panels = self._images.look(step, network)
        write_column(self._folder, step, panels)
        return validated


def note_of(validated: Validated) -> dict[str, Any]:
    """What was found, as a line of the log."""
    return {"step": validated.step, "validation": _values(validated)}


def _values(validated: Validated) -> dict[str, float]:
    return validated.model_dump(exclude={"step"}, exclude_none=True)


def _parameters(network: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in network.named_parameters()}

"""Trainings that diverge end early: on a loss that stays not finite, or before such weights become a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from tasks.retrain.suitable import TrainingError

_IN_A_ROW = 3  # one alone is what mixed precision now and then gives, and recovers from


@HOOKS.register_module()
class FiniteHook(Hook):  # type: ignore[misc]
    """Ends a training that has diverged.

    Args:
        interval: the loss is looked at every so many iterations, as looking makes a GPU wait.
    """

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.lost = 0  # how many losses in a row were not finite

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Raise ``TrainingError`` once the loss was not finite several times in a row."""
        if not outputs or "loss" not in outputs or not self.every_n_train_iters(runner, self.interval):
            return
        self.lost = 0 if math.isfinite(loss := float(torch.as_tensor(outputs["loss"]).detach())) else self.lost + 1
        if self.lost == _IN_A_ROW:
            raise _diverged(f"its loss is {loss} for the third logged time in a row", runner.iter + 1, runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Raise ``TrainingError`` in place of keeping weights that nothing can be learned from any more."""
        if (name := not_finite(checkpoint["state_dict"])) is not None:
            raise _diverged(f"its weights are not finite ({name})", runner.iter, runner)


def not_finite(weights: Mapping[str, Any]) -> str | None:
    """The first tensor that holds an infinite number or none, by its name; None where all are finite."""
    tensors = ((k, v) for k, v in weights.items() if isinstance(v, torch.Tensor) and v.is_floating_point())
    return next((name for name, tensor in tensors if not torch.isfinite(tensor).all()), None)


def _diverged(what: str, iteration: int, runner: Runner) -> TrainingError:
    rate = runner.optim_wrapper.get_lr()
    rates = next(iter(rate.values()))
    return TrainingError(
        f"the training diverged: {what}, at iteration {iteration} and a learning rate of {rates[0]:g}; "
        "lower the learning rate (overrides: optim_wrapper.optimizer.lr), or clip gradients (optim_wrapper.clip_grad)"
    )

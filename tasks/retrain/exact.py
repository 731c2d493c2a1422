"""Trainings that a crash does not change: a resumed one ends with the same bits as one that was never interrupted.

mmengine restores weights, optimiser, schedule and the order of images, but no random numbers: dropout would go on from
the seed's beginning. Here each checkpoint holds the state of every generator, and a resumed training takes it up where
its next batch begins; augmentation depends on an image's number alone (``draws``). That holds on a CPU; GPUs add in any
order.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.registry import HOOKS, LOOPS
from mmengine.runner import IterBasedTrainLoop, Runner

_STATES, _LOG = "random_states", "log_scalars"


@HOOKS.register_module()
class RandomStates(Hook):  # type: ignore[misc]
    """Keeps the generators' states in every checkpoint, which it makes one that opens without running anything."""

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the states as of the end of the iteration; mmengine's log buffers become lists."""
        checkpoint[_STATES] = random_states()
        hub = checkpoint["message_hub"]
        checkpoint["message_hub"] = {**hub, _LOG: {k: [c.tolist() for c in b.data] for k, b in hub[_LOG].items()}}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember the states for ``ExactTrainLoop``; the lists become log buffers again."""
        runner.resumed_states = checkpoint.get(_STATES)
        hub = checkpoint.get("message_hub")
        if hub is not None:
            hub[_LOG] = OrderedDict((name, HistoryBuffer(*columns)) for name, columns in hub[_LOG].items())


@LOOPS.register_module()
class ExactTrainLoop(IterBasedTrainLoop):  # type: ignore[misc]
    """mmengine's loop over iterations, except that a resumed one draws the random numbers that it would have drawn."""

    def run(self) -> Any:
        """Train to the end."""
        iterator, states = self.dataloader_iterator, getattr(self.runner, "resumed_states", None)
        skip = iterator.skip_iter

        def skip_and_restore(iterations: int) -> None:
            skip(iterations)
            iterator._ensure_iterator()  # making it draws a number, as it did when the training began
            if states is not None:
                restore(states)

        iterator.skip_iter = skip_and_restore
        return super().run()


def random_states() -> dict[str, Any]:
    """The states of Python's, NumPy's and torch's generators, as what the weights-only unpickler takes."""
    name, keys, *rest = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {
        "python": random.getstate(),
        "numpy": [name, np.asarray(keys).tolist(), *rest],
        "torch": torch.get_rng_state(),
        "cuda": cuda,
    }


def restore(states: dict[str, Any]) -> None:
    """Set the generators to ``random_states``."""
    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys), gauss))
    name, numbers, *rest = states["numpy"]
    np.random.set_state((name, np.asarray(numbers, np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])

"""What a finished training says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.compute import device_name
from tasks.translate.methods.base import method_module

if TYPE_CHECKING:
    from tasks.translate.training.trainer import Trainer


def training_card(trainer: Trainer) -> dict[str, Any]:
    """The entries of a ``TranslatorCard``."""
    source, target = trainer.source, trainer.target
    left_out = {side.name: side.left_out for side in (source, target) if side.left_out}
    card = {
        "method": trainer.config.method,
        "paper": method_module(trainer.config.method).PAPER,
        "config": trainer.config.training_slice(),
        "iterations": trainer.step,
        "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in trainer.networks.items()},
        "losses": trainer.log.last(),
        "variety": trainer.vitals.variety,
        "rollbacks": trainer.rollbacks,
        "device": device_name(trainer.device),
        "processes": trainer.ranks.count,
        "source_images": len(source.paths),
        "target_images": len(target.paths),
    }
    if left_out:
        card["left_out"] = left_out
    if trainer.validator.history:
        card |= {"validations": trainer.validator.history, "kept": trainer.validator.kept()}
    return {**card, **trainer.learner.notes}

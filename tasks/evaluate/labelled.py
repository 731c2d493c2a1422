"""How many labelled real images the arms were trained on, as their models' cards say."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from tasks.contracts import Arm, Artifact, ModelCard, Task
from tasks.store import Manifest, StoreError


def labelled_images(scored: Mapping[tuple[Task, Arm, int], Artifact]) -> dict[Task, dict[Arm, int]]:
    """Task -> arm -> labelled real images, of the arms that have some; one whose card is not in the store is left out.

    Args:
        scored: task, arm and seed -> artifact of kind ``evaluation``; the seeds of an arm have as many.
    """
    found: dict[Task, dict[Arm, int]] = {}
    for (task, arm, _), evaluation in scored.items():
        if arm.has_real and (images := _images(evaluation)) is not None:
            found.setdefault(task, {}).setdefault(arm, images)
    return found


def _images(evaluation: Artifact) -> int | None:
    """Of the first set that the evaluated model was trained on: an arm's real images come first."""
    try:
        model = Manifest.read(evaluation.path).inputs.get("model")
        card = ModelCard.read(evaluation.path.parents[1] / model.kind / model.key) if model is not None else None
    except (StoreError, OSError, ValidationError):
        return None
    return card.train_sets[0].images if card is not None and card.train_sets else None

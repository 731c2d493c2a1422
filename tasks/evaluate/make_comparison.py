"""The ``comparison`` artifact: what the scored models say of the arms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.contracts import Arm, Artifact, Comparison, Task
from tasks.evaluate.comparison import compare_arms
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.labelled import labelled_images
from tasks.evaluate.made_with import made_with_note
from tasks.evaluate.scoreboard import Scored
from tasks.store import Recipe, Store, code_version, write_json


def build_comparison(
    scored: dict[tuple[Task, Arm, int], Artifact],
    declared: tuple[tuple[Task, Arm, int], ...],
    config: EvaluateConfig,
    baseline: Arm,
    oracle: Arm,
    store: Store,
) -> Artifact:
    """Return the ``comparison`` artifact of the arms, with intervals: ``comparison.json``.

    Args:
        scored: task, arm and seed -> artifact of kind ``evaluation``.
        declared: the cells of the matrix, so that the missing ones are named.
        config: the section of the configuration.
        baseline, oracle: the arms that all others are compared with.
        store: where the result goes.

    Raises:
        EvidenceError: two results are not of the same benchmark; the message says what differs.
    """

    def make(folder: Path) -> dict[str, Any]:
        cells: dict[Task, list[tuple[Arm, int]]] = {kind: [] for kind, _, _ in declared}
        for kind, arm, seed in declared:
            cells[kind].append((arm, seed))
        results = [Scored(*cell, folder=artifact.path) for cell, artifact in scored.items()]
        found = _noted(compare_arms(results, cells, config, baseline, oracle, labelled=labelled_images(scored)), scored)
        write_json(folder / Comparison.FILE, found.content())
        return {"tasks": len(found.tasks), "resamples": config.resamples}

    return store.build(comparison_recipe(scored, declared, config, baseline, oracle), make)


def _noted(found: Comparison, scored: dict[tuple[Task, Arm, int], Artifact]) -> Comparison:
    notes = {of.task: made_with_note(of.task, scored) for of in found.tasks}
    return Comparison(
        tasks=tuple(
            of.model_copy(update={"notes": (*of.notes, note)}) if (note := notes[of.task]) else of for of in found.tasks
        )
    )


def comparison_recipe(
    scored: dict[tuple[Task, Arm, int], Artifact],
    declared: tuple[tuple[Task, Arm, int], ...],
    config: EvaluateConfig,
    baseline: Arm,
    oracle: Arm,
) -> Recipe:
    """What a ``comparison`` artifact is made from; the arguments are those of ``build_comparison``."""
    slice_ = {
        "declared": declared,
        **{name: getattr(config, name) for name in ("resamples", "cluster", "margin", "slices")},
        "sides": [baseline, oracle],
    }
    return Recipe(
        "comparison",
        config=slice_,
        inputs={f"{kind} {arm} seed {seed}": artifact for (kind, arm, seed), artifact in scored.items()},
        code=code_version(__name__),
    )

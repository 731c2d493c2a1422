"""Arms of one comparison that were made with other versions or on another device: no part of any key, but told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from tasks.contracts import Arm, Artifact, MadeWith, Note, Task
from tasks.store import Manifest, StoreError, decisive

Versions = dict[str, set[str]]


def made_with_note(task: Task, scored: Mapping[tuple[Task, Arm, int], Artifact]) -> Note | None:
    """What the arms of a task were not all made with alike, in training or in scoring; None where they were.

    Args:
        scored: task, arm and seed -> artifact of kind ``evaluation``. What of it or of its model is no longer in the
            store is not known.
    """
    stages = _stages(task, scored)
    differing = {(name, kind) for kind, arms in stages.items() for name in _differing(arms)}
    if not differing:
        return None
    groups: dict[tuple[tuple[str, str], ...], list[Arm]] = {}
    for arm in dict.fromkeys(arm for arms in stages.values() for arm in arms):
        values: Versions = defaultdict(set)
        for name, kind in sorted(differing):
            values[name] |= stages[kind].get(arm, {}).get(name, set())
        groups.setdefault(tuple((name, ", ".join(sorted(v))) for name, v in values.items() if v), []).append(arm)
    made = (MadeWith(arms=tuple(arms), versions=dict(versions)) for versions, arms in groups.items())
    return Note(code="made_with", made=tuple(made))


def _stages(task: Task, scored: Mapping[tuple[Task, Arm, int], Artifact]) -> dict[str, dict[Arm, Versions]]:
    """Kind of artifact -> arm -> what its artifacts of that kind were made with."""
    stages: dict[str, dict[Arm, Versions]] = {}
    for (of, arm, _), evaluation in scored.items():
        for manifest in _manifests(evaluation) if of == task else ():
            found = stages.setdefault(manifest.kind, {}).setdefault(arm, defaultdict(set))
            made_on = (manifest.summary.get(key) for key in ("device", "precision"))
            for name, value in decisive(manifest.environment, *made_on).items():
                found[name].add(value)
    return stages


def _differing(arms: Mapping[Arm, Versions]) -> Iterator[str]:
    """The names whose values, where known, are not the same one in all arms."""
    for name in {name for versions in arms.values() for name in versions}:
        if len(set().union(*(versions.get(name, set()) for versions in arms.values()))) > 1:
            yield name


def _manifests(evaluation: Artifact) -> Iterator[Manifest]:
    """Those of an evaluation and of its model."""
    try:
        manifest = Manifest.read(evaluation.path)
        yield manifest
        if model := manifest.inputs.get("model"):
            yield Manifest.read(evaluation.path.parents[1] / model.kind / model.key)
    except StoreError:
        return

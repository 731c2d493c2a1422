"""Looks up stages in the store, and remembers what is not there yet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from flows.plan.reasons import nearest
from tasks.contracts import Artifact
from tasks.store import Manifest, Recipe, Store, StoreError, content_digest

State = Literal["found", "build", "after", "same"]


class PlannedStage(BaseModel):
    """A stage of a run.

    Attributes:
        name: as in a run's ``timings.json``; what is not there is named alike.
        kind: the kind of its artifact.
        state: ``found`` in the store; ``build``: to be built; ``after``: what it is made from is not built yet, so that
            its key is not known (should that come out with the content of an earlier one, it will be found, too);
            ``same``: what an earlier stage of this run makes.
        key: its artifact's; None while it is not known.
        after: the stages that it waits for, where its key is not known; the one that makes it, where that is another.
        reasons: how it differs from the nearest artifact of its kind in the store.
        seconds: what building that one took, as an estimate; None where there is none.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    state: State
    key: str | None = None
    after: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    seconds: float | None = None


class Planner:
    """Takes a run's stages in their order. An artifact that is not built yet is stood for by one without a digest."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stages: list[PlannedStage] = []
        self._made: dict[str, Artifact] = {}  # what stages of this run will build, by all that is known of it

    @cached_property
    def known(self) -> list[Manifest]:
        """All artifacts of the store."""
        return list(self.store.artifacts())

    def plan(self, name: str, recipe: Recipe, waits: Sequence[Artifact] = ()) -> Artifact:
        """Look a stage up.

        Args:
            name: the stage's.
            recipe: what its artifact is made from.
            waits: what else must be there before its recipe is known.

        Returns:
            Its artifact, or what stands for it.
        """
        absent = [a for a in (*recipe.inputs.values(), *waits) if not is_built(a)]
        found = None if absent else self.store.find(recipe)
        if found is not None:
            self.stages.append(PlannedStage(name=name, kind=recipe.kind, state="found", key=found.key))
            return found
        made = content_digest([recipe.kind, recipe.config, _content(recipe), recipe.code])
        if (same := self._made.get(made)) is not None:
            self.stages.append(PlannedStage(name=name, kind=recipe.kind, state="same", after=(same.key,)))
            return same
        pending = frozenset(role for role, a in recipe.inputs.items() if not is_built(a))
        near = nearest(recipe, self.known, pending)
        reasons = near.differences
        if near.manifest is None:
            reasons = (f"the store has no {recipe.kind}",)
        elif not reasons and not absent:
            reasons = (self._damage(recipe),)
        stage = PlannedStage(
            name=name,
            kind=recipe.kind,
            state="after" if absent else "build",
            key=None if absent else recipe.key,
            after=tuple(dict.fromkeys(a.key for a in absent)),
            reasons=reasons,
            seconds=near.seconds,
        )
        self.stages.append(stage)
        self._made[made] = _standing_for(stage)
        return self._made[made]

    def _damage(self, recipe: Recipe) -> str:
        try:
            self.store.get(recipe.kind, recipe.key)
        except StoreError as error:
            return str(error)
        return "another run has just built it"


def is_built(artifact: Artifact) -> bool:
    """Whether an artifact is in the store, and no stage's that has still to run."""
    return bool(artifact.digest)


def _content(recipe: Recipe) -> dict[str, list[str]]:
    """Role -> an input's content, or the stage that makes it."""
    return {role: [a.digest, "" if is_built(a) else a.key] for role, a in recipe.inputs.items()}


def _standing_for(stage: PlannedStage) -> Artifact:
    return Artifact(kind=stage.kind, key=stage.name, digest="", path=Path(), seconds=0, cached=False)

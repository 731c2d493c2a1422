"""Why an artifact has to be built: how what it is made from differs from the nearest one in the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.store import Manifest, Recipe

_SHOWN = 40  # characters of a value


@dataclass(frozen=True)
class Nearest:
    """The artifact of the store that differs least from a recipe, and in what; None where there is none of its kind."""

    manifest: Manifest | None
    differences: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """What building it took, which another one of its kind will take about as well."""
        return None if self.manifest is None else self.manifest.seconds


def nearest(recipe: Recipe, known: Iterable[Manifest], pending: frozenset[str] = frozenset()) -> Nearest:
    """Find the artifact of the same kind with the fewest differences, the newest of several.

    Args:
        recipe: what is wanted.
        known: the artifacts of the store.
        pending: roles of inputs that are not built yet, whose content is therefore not compared.
    """
    best: Nearest | None = None
    for manifest in sorted((m for m in known if m.kind == recipe.kind), key=lambda m: m.created, reverse=True):
        found = tuple(_differences(recipe, manifest, pending))
        if best is None or len(found) < len(best.differences):
            best = Nearest(manifest, found)
    return best or Nearest(None, ())


def _differences(recipe: Recipe, manifest: Manifest, pending: frozenset[str]) -> Iterator[str]:
    old, new = _flat(_plain(manifest.config)), _flat(_plain(recipe.config))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, ...) != new.get(key, ...):
            yield f"{key}: {_text(old, key)} -> {_text(new, key)}"
    for role in sorted(manifest.inputs.keys() | recipe.inputs.keys()):
        if role in pending:
            continue
        if role not in manifest.inputs:
            yield f"input {role} is new"
        elif role not in recipe.inputs:
            yield f"input {role} is gone"
        elif manifest.inputs[role].digest != recipe.inputs[role].digest:
            yield f"input {role} has other content"
    if manifest.code != recipe.code:
        yield "the code changed"


def _plain(config: Mapping[str, Any]) -> Any:
    """As a manifest has it."""
    return json.loads(json.dumps(dict(config), default=str))


def _flat(value: Any, place: str = "") -> dict[str, Any]:
    """Dotted key -> value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if not value or pairs is None:
        return {place: value}
    flat: dict[str, Any] = {}
    for key, inner in pairs:
        flat |= _flat(inner, f"{place}.{key}" if place else str(key))
    return flat


def _text(flat: Mapping[str, Any], key: str) -> str:
    if key not in flat:
        return "(nothing)"
    text = json.dumps(flat[key], ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."

"""Which settings enter an artifact's key at a place of its slice of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.trends.comparing.model import Setting

_BESIDE = {("evaluation", "occasion")}  # makes an evaluation a new one, such as the night's, and nothing else of it


@dataclass(frozen=True)
class Whose:
    """Whose key it is.

    Attributes:
        task: of the scores. translator: of the arm. roles: the data set's in the configuration.
        judge: whether the artifact is of the audit's judge.
    """

    task: str
    translator: str | None
    roles: Sequence[str] = ()
    judge: bool = False


def differing(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The places where two slices differ, dotted, with both values; lists are compared as a whole."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for place in dict.fromkeys([*new, *old]):
        if old.get(place) != new.get(place) and (kind, place) not in _BESIDE:
            yield place, old.get(place), new.get(place)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def keys(kind: str, place: str, whose: Whose) -> list[str]:
    """The dotted keys of the configuration that enter there; none where that is not known."""
    first, _, rest = place.partition(".")
    match kind, first:
        case "dataset", "dataset":
            return [f"datasets.{role}.{rest}" for role in whose.roles]
        case "dataset", "taxonomy":
            return ["datasets.taxonomy", "datasets.detection"]
        case "dataset", "max_rejected":
            return [f"datasets.{first}"]
        case "sample", _:
            return [f"datasets.{role}.{place}" for role in whose.roles]
        case "translator" | "translated", _:
            return [f"translate.{whose.translator}.{place}"]
        case "audit", _:
            return [f"audit.{place}"]
        case "model", "training":
            return _of_training(rest, whose)
        case "evaluation", "precision":
            return ["evaluate.precision"]
        case "model", "drawing":
            return ["retrain.arms"]
        case "evaluation", "left_out":
            return ["evaluate.classes"]
    return []


def _of_training(place: str, whose: Whose) -> list[str]:
    section = f"retrain.{whose.task}"
    if place == "config":  # of the network as it is resolved
        return [f"{section}.config", f"{section}.overrides"]
    judges = ["audit.judge_iterations"] if whose.judge and place == "iterations" else []
    return [*judges, f"{section}.{place}"]


def explaining(wanted: Sequence[str], config: Sequence[Setting]) -> list[Setting]:
    """The settings that differ and are at or around these keys; of a file its SHA-256 counts, not where it lies."""
    found = [s for s in config if not s.key.endswith(".path") and any(_related(s.key, key) for key in wanted)]
    return [s for s in found if not any(_within(s.key, other.key) for other in found if other is not s)]


def _related(key: str, wanted: str) -> bool:
    return _within(key, wanted) or _within(wanted, key)


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith((f"{section}.", f"{section}["))

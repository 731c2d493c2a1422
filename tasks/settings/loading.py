"""Configurations as models: overrides, and errors that name file, line and key."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tasks.catalogue import say
from tasks.settings.moved import moved
from tasks.settings.problems import Foreseeing, Place, Problem
from tasks.settings.reading import ConfigError, Document, dotted, parse, read, shown

Model = TypeVar("Model", bound=BaseModel)


def load(path: Path, model: type[Model], sets: Sequence[str] = ()) -> Model:
    """Read a YAML file as ``model``; ``sets`` are ``dotted.key=value`` overrides, the values written as YAML.

    Raises:
        ConfigError: the file is missing or no YAML, or a key or value is wrong.
    """
    return validate(read(path), model, parse_sets(sets))


def parse_sets(sets: Sequence[str]) -> dict[str, Any]:
    """Parse ``dotted.key=value`` overrides as they are given at a terminal.

    Raises:
        ConfigError: one has no ``=``, or its value is no YAML.
    """
    overrides = {}
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {shown(text)}: write it as key=value, such as retrain.seeds=[0,1]")
        overrides[key] = parse(value, f"--set {shown(key)}")
    return overrides


def validate(document: Document, model: type[Model], overrides: Mapping[str, Any] | None = None) -> Model:
    """Check a document against ``model``, after the overrides; and then, where it can look, what it foresees.

    Raises:
        ConfigError: every problem on its own line.
    """
    values = copy.deepcopy(document.values)
    lines = dict(document.lines)
    for key, value in (overrides or {}).items():
        place = _override(values, key, value)
        lines = {p: at for p, at in lines.items() if p[: len(place)] != place}
        lines[place] = (Path(f"override {shown(key)}"), 1)
    changed = Document(values, lines)
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, changed) for e in error.errors())) from error
    problems: Iterable[Problem] = config.problems() if isinstance(config, Foreseeing) else ()
    try:
        told = [changed.told(p.place, say(p.finding)) for p in problems]
    except OSError as error:  # a name that no file can have, such as one that is too long
        raise ConfigError(f"configuration: {shown(str(error.filename))}: {error.strerror}") from error
    if told:
        raise ConfigError("\n".join(told))
    return config


def _override(values: Any, key: str, value: Any) -> Place:
    place: list[str | int] = []
    node = values
    *path, last = key.split(".")
    for part in path:
        place.append(_step(node, part, key))
        if isinstance(node, dict) and node.get(part) is None:
            node[part] = {}
        node = node[place[-1]]
    place.append(_step(node, last, key))
    node[place[-1]] = value
    return tuple(place)


def _step(node: Any, part: str, key: str) -> str | int:
    if isinstance(node, dict):
        return part
    if isinstance(node, list) and part in map(str, range(len(node))):
        return int(part)
    raise ConfigError(f"override {shown(key)}: {shown(part)!r} is no key or position of {shown(repr(node))}")


def _explain(error: Any, document: Document) -> str:
    """One problem for people: pydantic's place, less the union tags that are not in the file."""
    place: Place = ()
    node = document.values
    for part in error["loc"]:
        if part in (node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()):
            node = node[part]
        elif isinstance(node, dict) and part in (node.get("format"), node.get("method")):
            continue
        else:
            return _told(error, document, (*place, part))
        place = (*place, part)
    return _told(error, document, place)


def _told(error: Any, document: Document, place: Place) -> str:
    return document.told(place, _message(error, dotted(place)))


def _message(error: Any, key: str) -> str:
    if error["type"] == "extra_forbidden":
        return moved(key) or "unknown key"
    if error["type"] == "missing":
        return "required, but not given"
    given = error.get("input")
    echo = f" (given: {shown(repr(given))})" if isinstance(given, str | int | float | bool | None) else ""
    return f"{error['msg'].removeprefix('Value error, ')}{echo}"

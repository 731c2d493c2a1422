"""Reading YAML configurations: includes, environment variables, overrides, and errors that name file, line and key.

Own code over PyYAML, as loaders of configurations lose the lines that values came from.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tasks.catalogue import say
from tasks.settings.moved import moved
from tasks.settings.places import packaged
from tasks.settings.problems import Foreseeing, Place, Problem

Model = TypeVar("Model", bound=BaseModel)
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_INCLUDE = "!include"
_MERGE = "tag:yaml.org,2002:merge"


class ConfigError(Exception):
    """A configuration that cannot be used; one line a problem, each naming file, line and key."""


@dataclass
class Document:
    """A configuration as plain values, and where each of them was written (file and line)."""

    values: Any
    lines: dict[Place, tuple[Path, int]] = field(default_factory=dict)

    def where(self, place: Place) -> str:
        """``file:line`` of a value, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        if place not in self.lines:
            return "configuration"
        path, line = self.lines[place]
        return f"{path}:{line}"

    def told(self, place: Place, sentence: str) -> str:
        """``file:line: key: sentence``."""
        return f"{self.where(place)}: {_dotted(place) or 'configuration'}: {sentence}"


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
            raise ConfigError(f"--set {text}: write it as key=value, such as retrain.seeds=[0,1]")
        try:
            overrides[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {text}: the value is no YAML ({error})") from error
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
        lines[place] = (Path(f"override {key}"), 1)
    changed = Document(values, lines)
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(e, changed) for e in error.errors())) from error
    problems: Iterable[Problem] = config.problems() if isinstance(config, Foreseeing) else ()
    if told := [changed.told(p.place, say(p.finding)) for p in problems]:
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
    if isinstance(node, list) and part.isdigit() and int(part) < len(node):
        return int(part)
    raise ConfigError(f"override {key}: {part!r} is no key or position of {type(node).__name__} {node!r}")


def _explain(error: Any, document: Document) -> str:
    """One problem for people: pydantic's place, less the union tags that are not in the file."""
    place: Place = ()
    node = document.values
    for part in error["loc"]:
        if part in (node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()):
            node = node[part]
        elif isinstance(node, dict) and part in {node.get("format"), node.get("method")}:
            continue
        else:
            return _told(error, document, (*place, part))
        place = (*place, part)
    return _told(error, document, place)


def _told(error: Any, document: Document, place: Place) -> str:
    return document.told(place, _message(error, _dotted(place)))


def _message(error: Any, key: str) -> str:
    if error["type"] == "extra_forbidden":
        return moved(key) or "unknown key"
    if error["type"] == "missing":
        return "required, but not given"
    given = error.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool | None) else ""
    return f"{error['msg'].removeprefix('Value error, ')}{shown}"


def _dotted(place: Place) -> str:
    return ".".join(str(p) for p in place)


def read(path: Path) -> Document:
    """Read a YAML file, of this repository where there is none from here, with its includes and variables resolved.

    ``!include other.yaml`` stands for that file's content, ``!include other.yaml#key.key`` for a part of it; the path
    is relative to the including file. ``${NAME}`` or ``${NAME:-default}`` stands for an environment variable.

    Raises:
        ConfigError: a file is missing or no YAML, a key is there twice, a variable is not set, an include goes round.
    """
    return _read(packaged(path), "", ())


def _read(path: Path, part: str, including: tuple[tuple[Path, str], ...]) -> Document:
    """Read a file, or what stands below the dotted keys ``part`` of it: nothing else of the file is looked at."""
    here = (path.resolve(), part)
    if here in including:
        raise ConfigError(f"{path}: includes itself")
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no valid YAML: {error}") from error
    for key in part.split(".") if part else []:
        node = _child(node, key, path, part)
    if node is None:
        raise ConfigError(f"{path}: is empty")
    reader = _Reader(path, loader, (*including, here))
    return Document(reader.value(node, ()), reader.lines)


def _child(node: yaml.Node | None, key: str, path: Path, part: str) -> yaml.Node:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for key_node, child in pairs:
        if key_node.value == key:
            return child  # type: ignore[no-any-return]
    raise ConfigError(f"{path} has no key {key!r} on the way to {part!r}")


class _Reader:
    """Turns the nodes of one YAML file into plain values, noting where each stood."""

    def __init__(self, path: Path, loader: yaml.SafeLoader, including: tuple[tuple[Path, str], ...]) -> None:
        self.path = path
        self.loader = loader
        self.including = including
        self.lines: dict[Place, tuple[Path, int]] = {}

    def value(self, node: yaml.Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self.lines[place] = (self.path, line)
        if node.tag == _INCLUDE and isinstance(node, yaml.ScalarNode):
            return self._include(node.value, place, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and _VARIABLE.search(node.value):
            return _VARIABLE.sub(lambda found: self._variable(found, line), node.value)
        try:
            return self.loader.construct_object(node)
        except yaml.YAMLError as error:
            raise ConfigError(f"{self.path}:{line}: {error}") from error

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}  # what `<<` brings: the mapping's own keys go first, then the earlier of several
        for key_node, child in node.value:
            if key_node.tag == _MERGE:
                found = self.value(child, place)
                for mapping in found if isinstance(found, list) else [found]:
                    if not isinstance(mapping, dict):
                        raise ConfigError(f"{self.path}:{key_node.start_mark.line + 1}: << takes a mapping")
                    merged = {**mapping, **merged}
                continue
            key = self.loader.construct_object(key_node)
            if key in values:
                raise ConfigError(f"{self.path}:{key_node.start_mark.line + 1}: {key!r} is given twice")
            values[key] = self.value(child, (*place, key))
            self.lines.setdefault((*place, key), (self.path, key_node.start_mark.line + 1))
        return {**merged, **values}

    def _include(self, target: str, place: Place, line: int) -> Any:
        name, _, part = _VARIABLE.sub(lambda found: self._variable(found, line), target).partition("#")
        try:
            document = _read(self.path.parent / name, part, self.including)
        except ConfigError as error:
            raise ConfigError(f"{self.path}:{line}: {error}") from error
        self.lines |= {(*place, *inner): at for inner, at in document.lines.items()}
        return document.values

    def _variable(self, found: re.Match[str], line: int) -> str:
        value = os.environ.get(found[1], found[2])
        if value is None:
            raise ConfigError(f"{self.path}:{line}: environment variable {found[1]} is not set (or give a default)")
        return value

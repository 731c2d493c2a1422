"""YAML files as plain values: includes, environment variables, and where each value was written.

Own code over PyYAML, as loaders of configurations lose the lines that values came from. Whatever a file holds, reading
it ends soon, and with values or a ``ConfigError``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tasks.settings.places import REPOSITORY, packaged
from tasks.settings.problems import Place

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_INCLUDE = "!include"
_STANDARD = "tag:yaml.org,2002:"
# Far above any configuration, and reached within a second: what aliases or includes double passes them at once.
_DEPTH, _CHAIN, _FILES, _VALUES, _BYTES = 64, 16, 200, 20_000, 1 << 20
_SHOWN = 200  # characters of a value in a message
# What PyYAML raises for a scalar that its tag does not fit, such as 2026-02-30, beside its own error.
_UNFIT = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class ConfigError(Exception):
    """A configuration that cannot be used; one line a problem, each naming file, line and key."""

    def __init__(self, problems: str) -> None:
        super().__init__("\n".join(_printable(line) for line in problems.split("\n")))


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def shown(text: str) -> str:
    """A text as a message holds it: on one line, printable, and cut where it is long."""
    printable = _printable(text)
    return printable if len(printable) <= _SHOWN else printable[:_SHOWN] + "..."


def dotted(place: Place) -> str:
    """The keys and positions of a place as ``key.0.key``."""
    return shown(".".join(str(p) for p in place))


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
        return f"{self.where(place)}: {dotted(place) or 'configuration'}: {' '.join(sentence.split())}"


def read(path: Path) -> Document:
    """Read a YAML file, of this repository where there is none from here, with its includes and variables resolved.

    ``!include other.yaml`` stands for that file's content, ``!include other.yaml#key.key`` for a part of it; the path
    is relative to the including file, and leads to what lies below the folder above the first file's, or below this
    repository. ``${NAME}`` or ``${NAME:-default}`` stands for an environment variable.

    Raises:
        ConfigError: a file is missing, no YAML or too large, a key is there twice, a variable is not set, an include
            goes round or leads elsewhere.
    """
    path = packaged(path)
    return _Reading(path).file(path, "", ())


def parse(text: str, name: str) -> Any:
    """The value that a piece of YAML stands for; an include in it is relative to the working directory.

    Raises:
        ConfigError: see ``read``; ``name`` stands in place of the file.
    """
    path = Path(name)
    node, loader = _compose(text, path)
    return None if node is None else _Nodes(path, loader, (), _Reading(path)).value(node, ())


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, except that it stops where a file is nested too deeply or has too many values."""

    depth = values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.values += 1
        if self.depth > _DEPTH or self.values > _VALUES:
            much = f"more than {_DEPTH} values lie in each other" if self.depth > _DEPTH else _too_many()
            raise yaml.composer.ComposerError(None, None, much, self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _too_many() -> str:
    return f"more than {_VALUES:,} values, aliases and includes written out"


def _compose(text: str, path: Path) -> tuple[yaml.Node | None, _Loader]:
    try:
        loader = _Loader(text)
        return loader.get_single_node(), loader
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        why = ", ".join(filter(None, (error.context, error.problem)))
        raise ConfigError(f"{path}{line}: no valid YAML: {shown(why)}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: no valid YAML: {shown(' '.join(str(error).split()))}") from error


class _Reading:
    """What holds for all files that one configuration is read from: how many there may be, and where they may lie."""

    def __init__(self, first: Path) -> None:
        self.files = self.values = 0
        # Both, as a mounted configuration may be a link into a folder beside it.
        folders = {first.absolute().parent, Path(os.path.realpath(first)).parent}
        above = {folder.parent if folder.parent != Path(folder.anchor) else folder for folder in folders}
        self.allowed = tuple(Path(os.path.realpath(folder)) for folder in (*above, REPOSITORY))

    def file(self, path: Path, part: str, including: tuple[tuple[Path, str], ...]) -> Document:
        """Read a file, or what stands below the dotted keys ``part`` of it: nothing else of it is looked at."""
        here = (Path(os.path.realpath(path)), part)
        if here in including:
            raise ConfigError(f"{path}: includes itself")
        self.files += 1
        if self.files > _FILES or len(including) > _CHAIN:
            raise ConfigError(f"{path}: more than {_FILES} files are included, or {_CHAIN} by each other")
        node, loader = _compose(_text(path), path)
        for key in part.split(".") if part else []:
            node = _child(node, key, path, part)
        if node is None:
            raise ConfigError(f"{path}: is empty")
        nodes = _Nodes(path, loader, (*including, here), self)
        return Document(nodes.value(node, ()), nodes.lines)

    def included(self, path: Path, part: str, including: tuple[tuple[Path, str], ...]) -> Document:
        """Read a file that another one names."""
        if not any(Path(os.path.realpath(path)).is_relative_to(folder) for folder in self.allowed):
            raise ConfigError(f"{path}: an include leads to files below {self.allowed[0]} or {REPOSITORY} alone")
        return self.file(path, part, including)


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{path}: cannot be read (not a regular file)")
        if path.stat().st_size > _BYTES:
            raise ConfigError(f"{path}: is larger than a configuration's {_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{shown(str(path))}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: no valid YAML: not UTF-8 at byte {error.start}") from error


def _child(node: yaml.Node | None, key: str, path: Path, part: str) -> yaml.Node:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for key_node, child in pairs:
        if key_node.value == key:
            return child  # type: ignore[no-any-return]
    raise ConfigError(f"{path} has no key {shown(key)!r} on the way to {shown(part)!r}")


class _Nodes:
    """Turns the nodes of one YAML file into plain values, noting where each stood."""

    def __init__(self, path: Path, loader: _Loader, including: tuple[tuple[Path, str], ...], reading: _Reading) -> None:
        self.path = path
        self.loader = loader
        self.including = including
        self.reading = reading
        self.lines: dict[Place, tuple[Path, int]] = {}
        self.depth = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self.lines[place] = (self.path, node.start_mark.line + 1)
        self.reading.values += 1
        if self.reading.values > _VALUES:
            raise self._error(node, _too_many())
        if self.depth >= _DEPTH:
            raise self._error(node, f"more than {_DEPTH} values lie in each other, or an alias holds itself")
        self.depth += 1
        value = self._value(node, place)
        self.depth -= 1
        return value

    def _value(self, node: yaml.Node, place: Place) -> Any:
        if isinstance(node, yaml.ScalarNode):
            if node.tag == _INCLUDE:
                return self._include(node, place)
            if _VARIABLE.search(node.value):
                return self._resolved(node)
            return self._scalar(node)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_STANDARD}map":
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_STANDARD}seq":
            return [self.value(child, (*place, i)) for i, child in enumerate(node.value)]
        kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
        raise self._error(node, f"a {kind} takes no tag {shown(node.tag.replace(_STANDARD, '!!'))}")

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.loader.construct_object(node)  # type: ignore[no-untyped-call]
        except _UNFIT as error:
            tag = node.tag.replace(_STANDARD, "!!")
            raise self._error(node, f"{shown(node.value)!r} is no {shown(tag)}; quote it to have it as text") from error

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}  # what `<<` brings: the mapping's own keys go first, then the earlier of several
        for key_node, child in node.value:
            if key_node.tag == f"{_STANDARD}merge":
                merged = self._merged(key_node, self.value(child, place), merged)
                continue
            key = self._key(key_node)
            if key in values:
                raise self._error(key_node, f"{shown(repr(key))} is given twice")
            values[key] = self.value(child, (*place, key))
            self.lines.setdefault((*place, key), (self.path, key_node.start_mark.line + 1))
        return {**merged, **values}

    def _merged(self, key_node: yaml.Node, found: Any, merged: dict[str, Any]) -> dict[str, Any]:
        for mapping in found if isinstance(found, list) else [found]:
            if not isinstance(mapping, dict):
                raise self._error(key_node, "<< takes a mapping")
            merged = {**mapping, **merged}
        return merged

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key is a single value; text that begins with { or [ is quoted")
        if node.tag == f"{_STANDARD}bool":
            return node.value  # YAML 1.1 takes on, off, yes and no for switches; no key is one
        return self._scalar(node)

    def _include(self, node: yaml.ScalarNode, place: Place) -> Any:
        name, _, part = self._resolved(node).partition("#")
        try:
            document = self.reading.included(self.path.parent / name, part, self.including)
        except (ConfigError, ValueError) as error:  # ValueError: a character that no file name has
            raise self._error(node, str(error)) from error
        self.lines |= {(*place, *inner): at for inner, at in document.lines.items()}
        return document.values

    def _resolved(self, node: yaml.ScalarNode) -> str:
        """A text with its environment variables written out."""

        def variable(found: re.Match[str]) -> str:
            value = os.environ.get(found[1], found[2])
            if value is None:
                raise self._error(node, f"environment variable {found[1]} is not set (or give a default)")
            return value

        return _VARIABLE.sub(variable, node.value)

    def _error(self, node: yaml.Node, what: str) -> ConfigError:
        return ConfigError(f"{self.path}:{node.start_mark.line + 1}: {what}")

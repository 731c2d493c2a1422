"""Overrides of a network's configuration: the settings that they name must be there, and be of their kind."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tasks.contracts import Finding
from tasks.retrain.config import NEW
from tasks.settings import Place, Problem

_WHOLE = "_delete_"  # mmengine: the mapping replaces what was there


def override_problems(overrides: Mapping[str, Any], network: Mapping[str, Any]) -> Iterator[Problem]:
    """What of the overrides changes nothing in a network, or gives a setting another type.

    Args:
        overrides: by dotted key; a value that is a mapping is merged into what is there.
        network: the network's configuration as JSON-like values.
    """
    for key, value in overrides.items():
        if not key.startswith(NEW):
            yield from _followed(network, key.split("."), value, (key,), "")


def _followed(node: Any, parts: list[str], value: Any, place: Place, way: str) -> Iterator[Problem]:
    """Follow a key from a node; ``way`` is the dotted key so far."""
    for part in parts:
        here = f"{way}.{part}" if way else part
        if isinstance(node, Mapping) and part in node:
            node = node[part]
        elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
            node = node[int(part)]
        else:
            yield Problem(place, _unknown(node, part, way, here))
            return
        way = here
    if isinstance(value, Mapping) and isinstance(node, Mapping | list) and not value.get(_WHOLE):
        for key, inner in value.items():
            yield from _followed(node, [str(key)], inner, (*place, key), way)
    elif (finding := _of_another_kind(node, value, way)) is not None:
        yield Problem(place, finding)


def _unknown(node: Any, part: str, way: str, here: str) -> Finding:
    names = [
        str(n) for n in (node if isinstance(node, Mapping) else range(len(node)) if isinstance(node, list) else ())
    ]
    if not names:
        return Finding.of("settings.override_of_a_value", key=here, above=way)
    by_letters = {name.lower(): name for name in names}
    if nearest := difflib.get_close_matches(part.lower(), by_letters, n=1):
        return Finding.of("settings.override_misspelt", key=here, nearest=f"{way}.{by_letters[nearest[0]]}".lstrip("."))
    return Finding.of("settings.override_unknown", key=here, names=tuple(names))


def _of_another_kind(old: Any, new: Any, key: str) -> Finding | None:
    had, given = _kind(old), _kind(new)
    # A size is a number or a list of numbers; null stands for what is not there.
    if None in (had, given) or had == given or {had, given} == {"number", "list"} or _WHOLE in _keys(new):
        return None
    if had == "number" and given == "text" and (number := _number(new)) is not None:
        return Finding.of("settings.override_exponent", key=key, given=new, number=number)
    return Finding.of("settings.override_kind", key=key, given=repr(new), old=repr(old))


def _kind(value: Any) -> str | None:
    kinds = {bool: "switch", int: "number", float: "number", str: "text", list: "list", tuple: "list", dict: "mapping"}
    return kinds.get(type(value))


def _keys(value: Any) -> Any:
    return value if isinstance(value, Mapping) else ()


def _number(text: str) -> str | None:
    """A number as YAML 1.1 wants it: with a dot before the exponent, so that ``1e-3`` is text."""
    try:
        return yaml.safe_dump(float(text)).split()[0]
    except ValueError:
        return None

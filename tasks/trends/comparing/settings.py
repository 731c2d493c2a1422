"""What differs between two resolved configurations, by dotted key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tasks.catalogue import t
from tasks.trends.comparing.model import Setting


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Setting]:
    """The keys whose values differ, in the order of the configuration.

    Items of a list that have names are compared by name, in the list's place: ``translate.cut.training.iterations``.
    Of a list of texts, such as the arms, each text is there or not; their order does not count.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    keys = [key for key in dict.fromkeys([*new, *old]) if _differs(old.get(key, _Gone), new.get(key, _Gone))]
    return [Setting(key=key, before=_text(old, key), after=_text(new, key)) for key in _outermost(keys, old, new)]


class _Gone:
    """In the place of a value that is not there."""


class _There:
    """In the place of an item of a list, or of a named section."""


class _Section:
    """In the place of a section: what is in it has keys of its own."""


def _differs(old: Any, new: Any) -> bool:
    """Compared as JSON, where 1 is not true; a section is only told of where the other side has a value."""
    sides = (old, new)
    if _Gone in sides and _Section in sides:
        return False
    return json.dumps(old, default=repr) != json.dumps(new, default=repr)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield key, _Section
            yield from _flat(value, f"{key}.")
        elif _is_named(value):
            for item in value:
                yield f"{prefix}{item['name']}", _There
                yield from _flat({k: v for k, v in item.items() if k != "name"}, f"{prefix}{item['name']}.")
        elif isinstance(value, list) and value and all(isinstance(v, str) for v in value):
            yield from ((f"{key}[{item}]", _There) for item in value)
        else:
            yield key, value


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) and "name" in v for v in value)


def _outermost(keys: Sequence[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    """Of a named section that one side lacks, and of one that became null, the section and not all that is in it."""

    def whole(key: str) -> bool:
        named = _There in (old.get(key), new.get(key)) and (key not in old or key not in new)
        return named or old.get(key) is _Section

    gone = [key for key in keys if whole(key)]
    return [key for key in keys if not any(key.startswith(f"{section}.") for section in gone)]


def _text(values: Mapping[str, Any], key: str) -> str | None:
    if key not in values:
        return None
    value = values[key]
    if value in (_There, _Section):
        return t("compare.there")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""What differs between two runs beside their configuration: data, translators, code and versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tasks.catalogue import t
from tasks.report import DatasetRow, Provenance, Report, TranslatorRow
from tasks.trends.comparing.model import Setting

_DIGITS = 12  # of a digest or a commit


def data(before: Report, after: Report) -> list[Setting]:
    """What differs in the data sets, by role."""
    read: dict[str, Callable[[DatasetRow], str]] = {
        "data_set": lambda d: d.dataset,
        "split": lambda d: d.split,
        "images": lambda d: f"{d.images:,}",
        "boxes": lambda d: f"{sum(d.boxes.values()):,}",
        "rejected": lambda d: f"{d.rejected:,}",
        "content": lambda d: d.digest[:_DIGITS],
    }
    return list(_rows({d.role: d for d in before.datasets}, {d.role: d for d in after.datasets}, read))


def translators(before: Report, after: Report) -> list[Setting]:
    """What differs in the translators, by name; how fast they were is no difference between them."""
    read: dict[str, Callable[[TranslatorRow], str]] = {
        "method": lambda r: r.method,
        "iterations": lambda r: _number(r.iterations),
        "parameters": lambda r: _number(r.parameters),
    }
    return list(_rows({r.name: r for r in before.translators}, {r.name: r for r in after.translators}, read))


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _rows(
    before: Mapping[str, Any], after: Mapping[str, Any], read: Mapping[str, Callable[[Any], str]]
) -> Iterator[Setting]:
    for name in dict.fromkeys([*after, *before]):
        if name not in before or name not in after:
            sides = (t("compare.there") if name in side else None for side in (before, after))
            yield Setting(**dict(zip(("before", "after"), sides, strict=True)), key=name, subject=name)
            continue
        for key, of in read.items():
            old, new = of(before[name]), of(after[name])
            if old != new:
                yield Setting(key=f"{name}: {t(f'compare.{key}')}", before=old, after=new, subject=name)


def code(before: Report, after: Report) -> list[Setting]:
    """What differs in the stages' code, in packages and machine, and in the commit."""
    found = list(_versions(_codes(before.provenance), _codes(after.provenance)))
    stages = [
        s.model_copy(update={"key": t("compare.code_of", stage=s.key), "subject": s.key})
        for s in found
        if s.before is not None and s.after is not None  # else a side has no such stage
    ]
    versions = _versions(_environments(before.provenance), _environments(after.provenance))
    return [*stages, *versions]


def _codes(graph: Provenance) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in graph.nodes.values():
        if node.code:
            found.setdefault(node.kind, set()).add(node.code[:_DIGITS])
    return found


def _environments(graph: Provenance) -> dict[str, set[str]]:
    """Name -> its values in all environments that the run's artifacts were made in."""
    found: dict[str, set[str]] = {}
    for environment in graph.environments:
        packages = environment.get("packages")
        values = {**environment, **(packages if isinstance(packages, Mapping) else {})}
        for name, value in values.items():
            if name != "packages" and value is not None:
                found.setdefault(name, set()).add(_short(name, str(value)))
    if devices := {node.device for node in graph.nodes.values() if node.device}:
        found["device"] = devices
    return found


def _short(name: str, value: str) -> str:
    commit, mark, changed = value.partition("+")
    return f"{commit[:_DIGITS]}{mark}{changed}" if name == "git" else value


def _versions(before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]]) -> Iterator[Setting]:
    for name in dict.fromkeys([*after, *before]):
        old, new = (", ".join(sorted(side.get(name, ()))) or None for side in (before, after))
        if old != new:
            yield Setting(key=name, before=old, after=new)

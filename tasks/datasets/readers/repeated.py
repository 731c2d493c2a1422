"""Rows of a table that share a key: those that say the same are one row, those that contradict each other are none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from tasks.contracts import Finding
from tasks.datasets.errors import ItemError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class Keyed(Generic[K, T]):
    """A table's rows by their key.

    Attributes:
        rows: key -> its row; without the keys whose rows contradict each other.
        merged: the keys of the rows that say again what a row of the same key says.
        contradicting: key -> its rows that are not equal, in their order.
    """

    rows: dict[K, T] = field(default_factory=dict)
    merged: list[K] = field(default_factory=list)
    contradicting: dict[K, list[T]] = field(default_factory=dict)

    @property
    def known(self) -> set[K]:
        """All keys, those with contradicting rows too."""
        return self.rows.keys() | self.contradicting.keys()

    def add(self, key: K, row: T) -> None:
        """Take a row in."""
        others = self.contradicting.get(key) or ([self.rows[key]] if key in self.rows else [])
        if not others:
            self.rows[key] = row
        elif row in others:
            self.merged.append(key)
        else:
            self.contradicting[key] = [*others, row]
            self.rows.pop(key, None)


def keyed(pairs: Iterable[tuple[K, T]]) -> Keyed[K, T]:
    """The rows by their key."""
    table: Keyed[K, T] = Keyed()
    for key, row in pairs:
        table.add(key, row)
    return table


def merged_rows(file: Path, table: str, keys: Sequence[object]) -> list[ItemError]:
    """That the rows of these keys were repeated word for word in a table of a file; nothing where none was."""
    if not keys:
        return []
    finding = Finding.of("data.rows_merged", table=table, n=len(keys), first=_name(keys[0]))
    return [ItemError(file, finding, "unique", "row")]


def _name(key: object) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def contradicting(key: str, n: int) -> Finding:
    """That ``n`` rows of a key do not agree."""
    return Finding.of("data.rows_contradict", key=key, n=n)

"""``rejected.csv``: what reading a data set left out, as codes with values; and the same in words, for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Json

from tasks.catalogue import say
from tasks.contracts import Finding, Value, readable
from tasks.datasets.errors import Cause, DatasetError, Kind, Rejection
from tasks.datasets.naming import path_text, text_path
from tasks.store import atomic_path

REJECTED = "rejected.csv"
_TOLD = ("file", "cause", "kind", "code", "reason")


class _Row(BaseModel):
    file: str
    cause: Cause
    kind: Kind
    code: str
    values: Json[dict[str, Value]]


def write_rejected(path: Path, rejected: Iterable[Rejection], root: Path) -> None:
    """Write what was left out as CSV with the columns file, cause, kind, code and values, which are JSON.

    Args:
        path: the file, written atomically.
        rejected: what was left out.
        root: the data set's folder; paths start there, so that they hold wherever it is moved.
    """
    found = ((r, r.finding.below(root).model_dump(mode="json")) for r in rejected)
    rows = (
        (path_text(str(_below(r.file, root))), r.cause, r.kind, f["code"], json.dumps(f["values"], ensure_ascii=False))
        for r, f in found
    )
    _write(path, _Row.model_fields, rows)


def read_rejected(path: Path, root: Path = Path()) -> list[Rejection]:
    """Read what was left out; its files are named from ``root`` on, where the data set lies now.

    Raises:
        OSError: the file cannot be read.
        DatasetError: it is none of this form, such as that of an earlier version.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [_Row.model_validate(row) for row in csv.DictReader(stream)]
    except ValueError as error:
        raise DatasetError(Finding.of("data.no_rejected"), path) from error
    return [Rejection(root / text_path(r.file), Finding(code=r.code, values=r.values), r.cause, r.kind) for r in rows]


def tell_rejected(path: Path, rejected: Iterable[Rejection]) -> None:
    """Write what was left out as CSV for people: file, cause, kind, code, and the reason in the spoken language."""
    _write(path, _TOLD, ((readable(str(r.file)), r.cause, r.kind, r.finding.code, say(r.finding)) for r in rejected))


def _below(file: Path, root: Path) -> Path:
    """A file's path from a folder on; of a file elsewhere, its own."""
    return file.relative_to(root) if file.is_relative_to(root) else file


def _write(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)

"""Finding the report that a path means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from tasks.report import READABLE, REPORT_JSON, Report


class NotAReport(Exception):
    """A path without a report that this version reads; the message says what is there, in one line."""


def find(path: Path) -> Path:
    """The ``report.json`` of a run's folder, a night's, a report's folder, or the file itself.

    Raises:
        NotAReport: there is none.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise NotAReport(f"{path}: no such file or folder")
    for found in (path / REPORT_JSON, path / "report" / REPORT_JSON):
        if found.is_file():
            return found
    raise NotAReport(f"{path}: no report here: neither {REPORT_JSON} nor report/{REPORT_JSON}")


def read(path: Path) -> Report:
    """Read a ``report.json``.

    Raises:
        NotAReport: it cannot be read, or is no report of this version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotAReport(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return Report.model_validate_json(content)
    except ValidationError as error:
        raise NotAReport(f"{path}: {_reason(content, error)}") from error


def _reason(content: bytes, error: ValidationError) -> str:
    try:
        found = json.loads(content)
    except ValueError:
        return "not a report: no valid JSON"
    if not isinstance(found, Mapping) or "schema" not in found:
        return "not a report: it names no schema"
    if found["schema"] not in READABLE:
        known = ", ".join(map(str, READABLE))
        return f"a report of schema {found['schema']}, and this version reads {known}; run its flow again"
    first = error.errors()[0]
    return f"not a whole report: {'.'.join(map(str, first['loc']))}: {first['msg']}"

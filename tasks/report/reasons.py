"""Why a file could not be read, in words of the catalogue: what a library or the system says is for the log."""

from __future__ import annotations

import errno

from pydantic import ValidationError

from tasks.contracts import Finding
from tasks.store import StoreError


def reason(error: Exception | Finding) -> Finding:
    """The reason for an error, or a finding as it is."""
    match error:
        case Finding():
            return error
        case FileNotFoundError():
            return Finding.of("words.reason_missing")
        case OSError():
            return Finding.of("words.reason_refused", code=errno.errorcode.get(error.errno or 0, type(error).__name__))
        case ValidationError():
            where = ".".join(map(str, error.errors()[0]["loc"]))
            return Finding.of("words.reason_field", where=where) if where else Finding.of("words.reason_content")
        case StoreError():
            return Finding.of("words.reason_artifact")
    return Finding.of("words.reason_content")

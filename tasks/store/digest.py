"""Digests of values and files: what an artifact is named by."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_DIGEST_CHARS = 20  # 80 bits: no collision to be expected below 10^11 artifacts, and still readable in a path


def content_digest(value: Any) -> str:
    """Digest a JSON-like value (dicts in any order, paths, pydantic models) as 20 hexadecimal characters."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no canonical JSON form: {value!r}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal characters.

    Raises:
        OSError: it cannot be read, or is no regular file: a pipe would be waited for, a device read for ever.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "no regular file", str(path))
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def known_sha256(path: Path) -> str:
    """SHA-256 of a file, read once in a process as long as its size and time of change stay the same."""
    status = path.stat()
    return _known_sha256(path.absolute(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1 << 18)
def _known_sha256(path: Path, size: int, changed: int) -> str:
    return file_sha256(path)

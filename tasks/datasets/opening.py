"""Opening what a data set names: the one place. Regular files alone, no larger than they may be, below the set's root.

A pipe would be waited for, a device read for ever, and a link out of the root shows what nobody meant to give.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from tasks.contracts import Finding, Value

LARGEST = 2 << 30  # bytes of a file that is read whole: a table of labels
_root: ContextVar[str | None] = ContextVar("root", default=None)


class NotReadError(OSError):
    """A file that is there, and is not read."""

    def __init__(self, code: str, /, **values: Value) -> None:
        self.finding = Finding.of(code, **values)
        super().__init__(errno.EACCES, code)


def confine(root: Path | None) -> None:
    """From here on, in this thread, open only what lies below a folder when links are followed; None: anything."""
    _root.set(os.path.realpath(root) if root is not None else None)


@contextmanager
def confined(root: Path | None) -> Iterator[None]:
    """``confine`` while the block runs."""
    before = _root.get()
    _real.cache_clear()  # links may have changed since
    confine(root)
    try:
        yield
    finally:
        _root.set(before)


def leads_out(path: Path | str) -> bool:
    """Whether a path leads out of the folder that is read, by its links or its dots."""
    root = _root.get()
    if root is None:
        return False
    text = os.path.abspath(path) if ".." not in str(path) else os.path.realpath(path)  # noqa: PTH100 - for links
    folder, name = os.path.split(text)
    real = os.path.join(_real(folder), name)  # noqa: PTH118 - text: there may be a million
    if os.path.islink(real):  # noqa: PTH114
        real = os.path.realpath(real)
    return not f"{real}/".startswith(f"{root.rstrip('/')}/")


@functools.lru_cache(maxsize=1 << 12)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        FileNotFoundError: there is no such file.
        NotReadError: it is a pipe, a device or a folder, or leads out of the folder that is read.
        OSError: it cannot be opened.
    """
    if leads_out(path):
        raise NotReadError("data.leads_out", real=os.path.realpath(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # nobody waits for a pipe's other end
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotReadError("data.not_regular")
    return io.open(descriptor, "rb")  # noqa: UP020 - of a descriptor


def read_regular(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file of at most so many bytes; raises as ``open_regular``."""
    with open_regular(path) as stream:
        check_bytes(os.fstat(stream.fileno()).st_size, most)
        content = stream.read(most + 1)
    check_bytes(len(content), most)
    return content


def check_bytes(size: int, most: int) -> None:
    """Raises NotReadError for more bytes than may be read."""
    if size > most:
        raise NotReadError("data.too_large", size=size, most=most)

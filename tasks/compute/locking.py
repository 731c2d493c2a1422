"""Locks that say who holds them: files that the operating system unlocks when their holder dies, in whatever way."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)
REMIND_SECONDS = 600.0
_FIRST_SECONDS = 1.0
_POLL_SECONDS = 0.1


class Exclusive:
    """A lock file that one process, and one thread of it, holds at a time; as a context manager, it waits for it.

    Args:
        path: the file, in a folder that is there.
        what: what it is held for, in words.
        remind: seconds between two lines of the log that say who is waited for.
    """

    def __init__(self, path: Path, what: str, remind: float = REMIND_SECONDS) -> None:
        self.path, self.what, self.remind = path, what, remind
        self._lock = FileLock(path)

    def __enter__(self) -> Exclusive:
        """Wait for it.

        Raises:
            OSError: the file cannot be written.
        """
        wait = _FIRST_SECONDS
        while not self.taken(wait):
            log.info("%s: waiting for %s", self.what, holder(self.path))
            wait = self.remind
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Give it back."""
        self.release()

    def taken(self, wait: float = 0) -> bool:
        """Take it if it is free within so many seconds; returns whether it is held now.

        Raises:
            OSError: the file cannot be written.
        """
        try:
            self._lock.acquire(timeout=wait, poll_interval=_POLL_SECONDS)
        except Timeout:
            return False
        me = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time(), "what": self.what}
        with suppress(OSError):  # it is held all the same
            _told(self.path).write_text(json.dumps(me), encoding="utf-8")
        return True

    def release(self) -> None:
        """Give back what was taken."""
        with suppress(OSError):
            _told(self.path).unlink(missing_ok=True)
        self._lock.release()


def holder(path: Path) -> str:
    """Who holds a lock, for people: process, machine, since when, and what for, as far as it said so."""
    try:
        said = json.loads(_told(path).read_text(encoding="utf-8"))
        pid, host, since, what = (said[key] for key in ("pid", "host", "since", "what"))
        began = f"{datetime.fromtimestamp(since, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return f"whoever holds {path}"
    state = ", and is stopped: kill -CONT or -KILL it" if host == socket.gethostname() and _is_stopped(pid) else ""
    return f"process {pid} on {host}, which has held it since {began} ({what}){state}"


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "Tt"
    except (OSError, IndexError):
        return False


def _told(path: Path) -> Path:
    """Where its holder says who it is: beside it, as whoever waits for a lock file empties that."""
    return path.with_name(f"{path.name}.holder")

"""Ends a program that makes no progress: that prints nothing, and writes no file, for so long."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOG = "log.txt"  # beside the job file: all that a worker prints
_GRACE_SECONDS = 10.0
_LOOKS = 20  # within the time after which a program counts as stalled


class Watchdog:
    """Watches one program, from a thread.

    Args:
        name: the program's, for people.
        folder: where it writes; its log, which others write, does not count.
        seconds: without a line or a change of a file there, after which it is ended.

    Attributes:
        ended: whether it was ended for that.
    """

    def __init__(self, name: str, folder: Path, seconds: float) -> None:
        self.name, self.folder, self.seconds = name, folder, seconds
        self.ended = False
        self._last = time.monotonic()
        self._done = threading.Event()

    def heard(self) -> None:
        """The program has printed a line."""
        self._last = time.monotonic()

    @contextmanager
    def watching(self, group: int) -> Iterator[None]:
        """Watch while the block runs.

        Args:
            group: the process group's id, which is that of its first process.
        """
        thread = threading.Thread(target=self._watch, args=(group,), daemon=True, name=f"watchdog of {self.name}")
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def told(self) -> str:
        """What happened, and what to check."""
        return (
            f"{self.name}: no line printed and no file written for {self.seconds:g} s, so it was ended: "
            f"{self.folder / LOG} ends with where it stood; check that disk and GPU answer (df, nvidia-smi) and that "
            "/dev/shm has room for compute.loaders; if it is only slow, raise compute.stalled_after"
        )

    def _watch(self, group: int) -> None:
        written = _written(self.folder)
        while not self._done.wait(self.seconds / _LOOKS):
            if time.monotonic() - self._last < self.seconds / _LOOKS:
                continue  # files are only looked at where nothing is heard: a data set's are many
            now = _written(self.folder)
            if now != written:
                written = now
                self.heard()
            elif time.monotonic() - self._last >= self.seconds:
                self.ended = True
                self._end(group)
                return

    def _end(self, group: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(group, signal.SIGUSR1)  # tell_where_it_stands
            self._done.wait(1)
            self._kill(group)

    def _kill(self, group: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGTERM)
            self._done.wait(_GRACE_SECONDS)
            os.killpg(group, signal.SIGKILL)


class Deadline(Watchdog):
    """Ends a program that runs for more than so many seconds, whatever it does meanwhile."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, Path(), seconds)

    def told(self) -> str:
        """What happened, and what to do."""
        return (
            f"{self.name}: it ran for more than {self.seconds:g} s, so it was ended: raise timeout if it is only slow"
        )

    def _watch(self, group: int) -> None:
        if not self._done.wait(self.seconds):
            self.ended = True
            self._kill(group)


def tell_where_it_stands() -> None:
    """In a program that may be watched: print where each thread stands when it is about to be ended."""
    faulthandler.register(signal.SIGUSR1, file=sys.stderr, all_threads=True)


def _written(folder: Path) -> tuple[int, int, int]:
    """What changes when a file below a folder is written: how many there are, their bytes, and the newest's time."""
    count = size = newest = 0
    for path in folder.rglob("*"):
        if path.name != LOG:
            with suppress(OSError):
                found = path.stat()
                count, size, newest = count + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return count, size, newest

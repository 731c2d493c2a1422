"""Progress of long work: a bar at a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.progress import track

log = logging.getLogger(__name__)
T = TypeVar("T")
_EVERY_SECONDS = 10.0


def artifact_key(prefix: str, name: str) -> str:
    """The key that something is shown under in Prefect: lower case letters, digits and hyphens."""
    return f"{prefix}-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-') or 'run'}"


def with_progress(items: Iterable[T], total: int, what: str, *, bar: bool | None = None) -> Iterator[T]:
    """Yield ``items`` unchanged while saying how far it is.

    Args:
        items: what to go through.
        total: how many there are.
        what: the work's name, such as ``translating``.
        bar: draw a bar (True) or write log lines (False); by default a bar where standard error is a terminal.
    """
    if sys.stderr.isatty() if bar is None else bar:
        yield from track(items, description=what, total=total)
        return
    start = said = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - said >= _EVERY_SECONDS and done < total:
            said = now
            log.info("%s: %d of %d, about %.0f s left", what, done, total, (now - start) / done * (total - done))
    log.info("%s: %d done in %.1f s", what, total, time.monotonic() - start)

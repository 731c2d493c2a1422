"""An ordered map over threads that works a little ahead of its reader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tasks.compute.machine import threads

T = TypeVar("T")
R = TypeVar("R")


def ahead(function: Callable[[T], R], items: Iterable[T], count: int | None = None) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in order, computed by ``count`` threads; few results wait in memory.

    An exception is raised where its item's result would come; what has not begun by then is dropped.
    """
    count = count or min(16, threads() + 1)
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""An ordered map over threads: results in order, few in memory, errors at once."""

import threading
import time
from collections.abc import Iterator

import pytest

from tasks.compute.ordered import ahead


def test_results_come_in_the_order_of_their_items() -> None:
    def late(item: int) -> int:
        time.sleep(0.002 * (item % 3 == 0))
        return item * item

    assert list(ahead(late, range(20), 4)) == [i * i for i in range(20)]


def test_no_more_than_a_few_items_are_taken_ahead() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield taken

    results = ahead(lambda item: item, items(), 3)
    assert next(results) == 1
    assert taken == 6
    results.close()  # type: ignore[attr-defined]


def test_an_error_ends_the_map_and_what_has_not_begun_is_dropped() -> None:
    begun = []
    lock = threading.Lock()

    def failing(item: int) -> int:
        with lock:
            begun.append(item)
        if item == 2:
            raise ValueError("item 2")
        return item

    with pytest.raises(ValueError, match="item 2"):
        list(ahead(failing, range(100), 2))
    assert len(begun) < 10

"""The times of capture that MORAI SIM names its files by, and what they tell: pairs and sequences of frames."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

TIME = "YY-MM-DD-HH-MM-SS-ffffff"
# Some versions add a field; where it splits the fraction of the second, what follows the milliseconds is too little to
# matter, and where it counts, it says nothing of the time.
_TIME = re.compile(r"(\d\d(?:-\d\d){5}-\d{3,6})(?:-\d+)?")


def time_of(name: str) -> datetime | None:
    """The time that a name says, to a millisecond or better; None for any other name."""
    match = _TIME.fullmatch(name)
    try:
        return datetime.strptime(match[1], "%y-%m-%d-%H-%M-%S-%f") if match else None
    except ValueError:  # such as a thirteenth month
        return None


class Times:
    """Names that are times of capture, in order of time.

    Args:
        names: names that ``time_of`` knows.
    """

    def __init__(self, names: Iterable[str]) -> None:
        known = sorted((_known(name), name) for name in names)
        self.times = [time for time, _ in known]
        self.names = [name for _, name in known]

    def nearest(self, name: str) -> tuple[str, timedelta]:
        """The name that is nearest in time to another, and how much later it is."""
        time = _known(name)
        n = bisect_left(self.times, time)
        best = min(range(max(n - 1, 0), min(n + 1, len(self.times))), key=lambda i: abs(self.times[i] - time))
        return self.names[best], self.times[best] - time

    def pairs(self, others: Times, tolerance: timedelta) -> dict[str, str]:
        """Match each name with at most one of the others, within a tolerance, least different first.

        Returns:
            Name -> other name; what has no partner is left out.
        """
        candidates = []
        for time, name in zip(self.times, self.names, strict=True):
            window = slice(bisect_left(others.times, time - tolerance), bisect_right(others.times, time + tolerance))
            near = zip(others.times[window], others.names[window], strict=True)
            candidates += [(abs(t - time), other != name, name, other) for t, other in near]
        partner: dict[str, str] = {}
        taken = set()
        for _, _, name, other in sorted(candidates):
            if name not in partner and other not in taken:
                partner[name] = other
                taken.add(other)
        return partner

    def starts(self, gap: timedelta) -> dict[str, str]:
        """Each name -> the first of its sequence: one ends where nothing follows for longer than ``gap``."""
        first: dict[str, str] = {}
        for n, (time, name) in enumerate(zip(self.times, self.names, strict=True)):
            goes_on = n > 0 and time - self.times[n - 1] <= gap
            first[name] = first[self.names[n - 1]] if goes_on else name
        return first


def _known(name: str) -> datetime:
    time = time_of(name)
    assert time is not None
    return time

"""Lines of label files in KITTI's form, which MORAI SIM's follow: blank-separated fields; 5 to 8 are the box."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tasks.datasets.table import Box


def parse_line(line: str, count: int, known: Mapping[int, str] | None = None) -> tuple[str, Box]:
    """The type and the box (left, top, right, bottom in pixels) of a line; the box's category is still open (-1).

    Args:
        line: the line.
        count: how many fields it must have.
        known: other numbers of fields -> what such a line is, for the message.

    Raises:
        ValueError: it has another number of fields, or its box is not four finite numbers.
    """
    fields = line.split()
    if len(fields) != count:
        why = f" ({known[len(fields)]})" if known and len(fields) in known else ""
        raise ValueError(f"has {len(fields)} fields instead of {count}{why}: {line[:80]!r}")
    try:
        x1, y1, x2, y2 = (float(f) for f in fields[4:8])
    except ValueError:
        raise ValueError(f"the box is not four numbers: {' '.join(fields[4:8])!r}") from None
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise ValueError(f"the box is not finite: {' '.join(fields[4:8])!r}")
    return fields[0], Box(-1, x1, y1, x2, y2)

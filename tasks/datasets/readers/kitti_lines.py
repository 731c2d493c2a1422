"""Lines of label files in KITTI's form, which MORAI SIM's follow: blank-separated fields; 5 to 8 are the box."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tasks.contracts import Finding
from tasks.datasets.errors import MalformedError
from tasks.datasets.table import Box


def parse_line(line: str, count: int, known: Mapping[int, Finding] | None = None) -> tuple[str, Box]:
    """The type and the box (left, top, right, bottom in pixels) of a line; the box's category is still open (-1).

    Args:
        line: the line.
        count: how many fields it must have.
        known: other numbers of fields -> what such a line is, for the message.

    Raises:
        MalformedError: it has another number of fields, or its box is not four finite numbers.
    """
    fields = line.split()
    if len(fields) != count:
        why = (known or {}).get(len(fields), "")
        raise MalformedError("data.other_fields", n=len(fields), count=count, why=why, line=line[:80])
    try:
        x1, y1, x2, y2 = (float(f) for f in fields[4:8])
    except ValueError:
        raise MalformedError("data.box_no_numbers", box=" ".join(fields[4:8])) from None
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise MalformedError("data.box_not_finite", box=" ".join(fields[4:8]))
    return fields[0], Box(-1, x1, y1, x2, y2)

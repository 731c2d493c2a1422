"""Whether a translated image was written to its end."""

from __future__ import annotations

from pathlib import Path

from tasks.datasets import PNG

_PNG_END = b"IEND\xaeB`\x82"


def is_whole_png(path: Path, width: int, height: int) -> bool:
    """Whether a file is a PNG of this size whose last chunk is there."""
    try:
        with path.open("rb") as stream:
            head = stream.read(24)
            stream.seek(-len(_PNG_END), 2)
            tail = stream.read()
    except OSError:
        return False
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return head[:8] == PNG and head[16:24] == size and tail == _PNG_END

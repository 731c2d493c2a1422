"""Writing files so that a crash leaves either the old file or the new one, never half of it."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEM = 200  # bytes of a name that its temporary name keeps, of the 255 that it may have
PARTIAL = ".partial"  # the suffix of a file being written; no artifact ever lists one


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is flushed to disk and renamed to ``path``.

    The temporary name keeps the suffix, because image encoders choose their codec by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = os.fsdecode(os.fsencode(path.stem)[:_STEM])
    temporary = path.with_name(f"{stem}-{uuid.uuid4().hex[:8]}{PARTIAL}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Write ``value`` as JSON, atomically. NaN and infinity are errors: JSON has neither."""
    text = json.dumps(value, indent=indent, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_png(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write RGB ``[H, W, 3]``, or grey or ids ``[H, W]``, as PNG, atomically.

    Compression level 1: a seventh of the time of PIL's default for about a tenth more bytes.

    Raises:
        OSError: it could not be written.
    """
    import cv2

    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    with atomic_path(path) as temporary:
        if not cv2.imwrite(str(temporary), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
            raise OSError(f"{path}: the PNG could not be written")

"""Files that come with the program, such as ``configs/``, which any working directory may name."""

from __future__ import annotations

import contextlib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def packaged(path: Path) -> Path:
    """A file or folder as it is named, or, where there is none from here, the one of this repository.

    Args:
        path: relative to the working directory; ``~`` is the home folder.

    Returns:
        The path itself where it exists or nothing does, so that an error names what was asked for.
    """
    path = Path(path)
    with contextlib.suppress(RuntimeError):  # a user that there is not: then nothing is there
        path = path.expanduser()
    if not path.exists() and not path.is_absolute() and (REPOSITORY / path).exists():
        return REPOSITORY / path
    return path

"""Files that come with the program, such as ``configs/``, which any working directory may name."""

from __future__ import annotations

import contextlib
import os
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
    # os.path: whatever is given as a name, of a length or with characters that no file has.
    if not os.path.exists(path) and not path.is_absolute() and os.path.exists(REPOSITORY / path):  # noqa: PTH110
        return REPOSITORY / path
    return path


def there(path: Path) -> bool:
    """Whether there is such a file, of this repository as well; whatever stands in place of its name, and is none."""
    return os.path.isfile(packaged(path))  # noqa: PTH113 - Path's raises an error for a name that is too long

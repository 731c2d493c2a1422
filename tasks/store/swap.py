"""A folder that takes another's place in one step: whoever looks, after a kill too, finds the old one or the new."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


def replace_folder(new: Path, folder: Path) -> None:
    """Let ``new``, a folder on the same file system, take the place and name of ``folder``, which is deleted.

    On Linux the two are exchanged by one call. Where system or file system has none, ``folder`` is away for the moment
    between two renames.

    Raises:
        OSError: it cannot be done.
    """
    if not folder.exists():
        new.rename(folder)
        return
    if not _exchanged(new, folder):
        old = new.with_name(f"{new.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        new.rename(folder)
        new = old
    shutil.rmtree(new)


def _exchanged(one: Path, other: Path) -> bool:
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return int(exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)) == 0

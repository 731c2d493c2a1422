"""Where data sets lie, by what they are: the one thing about them that a store says by an absolute path.

It stands in ``<store>/.places/<name>``, in no artifact, and is written anew whenever a run reads the data set.
"""

from __future__ import annotations

from pathlib import Path

from tasks.store.files import atomic_path
from tasks.store.store import LOCKS

_FOLDER = ".places"


def store_of(folder: Path) -> Path | None:
    """The root of the store that an artifact's folder lies in, finished or being built; None elsewhere."""
    folder = folder.absolute()
    root = folder.parents[1] if len(folder.parents) > 1 else folder
    return root if (root / LOCKS).is_dir() else None


def remember_place(folder: Path, name: str, place: Path) -> None:
    """Let the store of an artifact's folder know that the data set of this name lies at ``place``.

    Raises:
        ValueError: the folder is in no store.
    """
    root = store_of(folder)
    if root is None:
        raise ValueError(f"{folder} is in no store")
    if place_of(folder, name) != place:
        with atomic_path(root / _FOLDER / name) as temporary:
            temporary.write_text(f"{place.absolute()}\n", encoding="utf-8")


def place_of(folder: Path, name: str) -> Path | None:
    """Where the data set of this name lies, as the store of an artifact's folder knows; None where it does not."""
    root = store_of(folder)
    path = None if root is None else root / _FOLDER / name
    if path is None or not path.is_file():
        return None
    return Path(path.read_text(encoding="utf-8").removesuffix("\n"))

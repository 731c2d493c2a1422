"""Which artifacts may go, and how they go: not used lately, and not an input, at any depth, of one that stays."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tasks.compute import Exclusive
from tasks.store.store import BUILDING, Store, made_from

_DELETING = ".deleting"


def collect(store: Store, before: float) -> list[Path]:
    """List the folders of ``store`` that nothing needs.

    Args:
        store: the store to look through.
        before: time in seconds since the epoch; what was used, or worked on, later than that is kept.

    Returns:
        Artifacts last used before then that no kept artifact, and no build going on, was made from; and the temporary
        folders of builds that were given up, and of deletions that were. A folder that a running build holds is never
        listed.
    """
    manifests = {(m.kind, m.key): m for m in store.artifacts()}
    building = list(store.root.glob(f"*/.*{BUILDING}"))
    abandoned = sorted(p for p in building if p.stat().st_mtime < before and not _locked(store, p))
    kept: set[tuple[str, str]] = set()
    todo = [k for k in manifests if (store.root / k[0] / k[1]).stat().st_mtime >= before]
    todo += [k for p in building if p not in abandoned for k in _made_from(p)]
    while todo:
        current = todo.pop()
        if current not in kept and current in manifests:
            kept.add(current)
            todo += [(i.kind, i.key) for i in manifests[current].inputs.values()]
    unused = [store.root / kind / key for kind, key in sorted(manifests.keys() - kept)]
    half = sorted(store.root.glob(f"*/.*{_DELETING}"))
    return [p for p in unused if not _locked(store, p)] + abandoned + half


def delete(store: Store, folder: Path, before: float) -> bool:
    """Delete a folder that ``collect`` listed, while its lock is held and if nobody has taken it up since.

    It is renamed first: whoever looks finds all of it or none, and what a kill leaves goes with the next collection.

    Args:
        store: the store. folder: one that ``collect`` listed. before: as of ``collect``.

    Returns:
        Whether it is gone; not where it is being built, was used meanwhile, or a build that has begun is made from it.

    Raises:
        OSError: it may not be deleted.
    """
    lock = _lock(store, folder)
    lock.path.parent.mkdir(parents=True, exist_ok=True)
    if not lock.taken():
        return False
    try:
        doomed = folder.with_name(f".{_key(folder)}{_DELETING}")
        if folder != doomed:
            if not folder.exists() or folder.stat().st_mtime >= before or _is_needed(store, folder):
                return False
            shutil.rmtree(doomed, ignore_errors=True)
            folder.rename(doomed)
        shutil.rmtree(doomed)
        return True
    finally:
        lock.release()


def _is_needed(store: Store, folder: Path) -> bool:
    """Whether a build that goes on now was begun with this artifact."""
    building = (p for p in store.root.glob(f"*/.*{BUILDING}") if p != folder and _locked(store, p))
    return any((folder.parent.name, folder.name) in _made_from(p) for p in building)


def _made_from(work: Path) -> list[tuple[str, str]]:
    """The inputs of a build that is going on, or that may be resumed."""
    try:
        return [(entry["kind"], entry["key"]) for entry in json.loads(made_from(work).read_bytes())]
    except (OSError, ValueError):  # just begun
        return []


def _locked(store: Store, folder: Path) -> bool:
    lock = _lock(store, folder)
    if not lock.path.exists():
        return False
    if lock.taken():
        lock.release()
        return False
    return True


def _lock(store: Store, folder: Path) -> Exclusive:
    return store.lock(folder.parent.name, _key(folder), "clearing away")


def _key(folder: Path) -> str:
    return folder.name.removeprefix(".").removesuffix(BUILDING).removesuffix(_DELETING)

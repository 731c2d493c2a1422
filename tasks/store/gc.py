"""Which artifacts may go: not used lately, and not an input, at any depth, of one that stays."""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.store.store import BUILDING, LOCKS, Store, made_from


def collect(store: Store, before: float) -> list[Path]:
    """List the folders of ``store`` that nothing needs.

    Args:
        store: the store to look through.
        before: time in seconds since the epoch; what was used, or worked on, later than that is kept.

    Returns:
        Artifacts last used before then that no kept artifact, and no build going on, was made from; and the temporary
        folders of builds that were given up. A folder that a running build holds is never listed.
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
    return [p for p in unused if not _locked(store, p)] + abandoned


def _made_from(work: Path) -> list[tuple[str, str]]:
    """The inputs of a build that is going on, or that may be resumed."""
    try:
        return [(entry["kind"], entry["key"]) for entry in json.loads(made_from(work).read_bytes())]
    except (OSError, ValueError):  # just begun
        return []


def _locked(store: Store, folder: Path) -> bool:
    key = folder.name.removeprefix(".").removesuffix(BUILDING)
    path = store.root / LOCKS / f"{folder.parent.name}-{key}.lock"
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True

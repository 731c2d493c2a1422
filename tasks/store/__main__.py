"""``python -m tasks.store``: list, show, verify and clean up the artifacts of a store."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tasks.store.gc import collect
from tasks.store.manifest import Manifest, StoreError
from tasks.store.store import Store


def main(arguments: list[str] | None = None) -> int:
    """Run one sub-command; returns the exit status (1: something is damaged or was not found)."""
    parser = argparse.ArgumentParser(prog="python -m tasks.store", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(".store"), help="the store's folder (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("ls", help="list the artifacts")
    show = commands.add_parser("show", help="print an artifact's manifest")
    show.add_argument("key", help="its key, or the beginning of it")
    verify = commands.add_parser("verify", help="compare every file's SHA-256 with the manifest")
    verify.add_argument("key", nargs="?", default="", help="only artifacts whose key begins so")
    gc = commands.add_parser("gc", help="delete what was not used lately and nothing kept was made from")
    gc.add_argument("--days", type=float, default=30, help="keep what was used within so many days (default: 30)")
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    options = parser.parse_args(arguments)
    store = Store(options.root)
    if not store.root.is_dir():
        print(f"no store at {store.root}: name one with --root", file=sys.stderr)
        return 1
    match options.command:
        case "ls":
            return _ls(store)
        case "show":
            return _show(store, options.key)
        case "verify":
            return _verify(store, options.key)
        case _:
            return _gc(store, options.days, options.dry_run)


def _ls(store: Store) -> int:
    table = Table("kind", "key", "created", "files", "MiB", "seconds", "made from")
    for m in store.artifacts():
        size = sum(f.size for f in m.files) / 2**20
        sources = ", ".join(f"{role}:{i.key[:8]}" for role, i in m.inputs.items())
        row = (m.kind, m.key, f"{m.created:%Y-%m-%d %H:%M}", str(len(m.files)), f"{size:.1f}", f"{m.seconds:.1f}")
        table.add_row(*row, sources)
    Console().print(table)
    return 0


def _found(store: Store, key: str) -> list[Manifest]:
    found = [m for m in store.artifacts() if m.key.startswith(key)]
    if not found:
        print(f"no artifact of {store.root} has a key that begins with {key!r}", file=sys.stderr)
    return found


def _show(store: Store, key: str) -> int:
    found = _found(store, key)
    for manifest in found:
        print(manifest.model_dump_json(indent=2))
    return 0 if found else 1


def _verify(store: Store, key: str) -> int:
    damaged = 0
    found = _found(store, key)
    for m in found:
        problems = m.problems(store.root / m.kind / m.key, full=True)
        damaged += bool(problems)
        print(f"{m.kind}/{m.key}: {'; '.join(problems) or 'ok'}")
    unreadable = [p for p in store.folders() if not _readable(p)]
    for folder in unreadable:
        print(f"{folder.relative_to(store.root)}: no valid artifact.json")
    return 1 if damaged or unreadable or not found else 0


def _readable(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except StoreError:
        return False
    return True


def _gc(store: Store, days: float, dry_run: bool) -> int:
    doomed = collect(store, before=time.time() - days * 86400)
    for folder in doomed:
        print(f"{'would delete' if dry_run else 'deleting'} {folder.relative_to(store.root)}")
        if not dry_run:
            shutil.rmtree(folder)
    print(f"{len(doomed)} folders")
    return 0


if __name__ == "__main__":
    sys.exit(main())

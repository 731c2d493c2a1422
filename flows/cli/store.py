"""``sim2real store``: list, show, verify and clean up the artifacts of a store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from flows.cli.options import Root
from flows.cli.status import FAILED, FINE

if TYPE_CHECKING:
    from tasks.store import Manifest, Store, StoreError

app = App(name="store", help="List, show, verify and clean up the artifacts of a store.")
ROOT = Path(".store")


@app.command
def ls(*, root: Root = ROOT) -> int:
    """List the artifacts.

    Example: `sim2real store ls`
    """
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "key", "created", "files", "MiB", "seconds", "made from")
    for m in _opened(root).artifacts():
        size = sum(f.size for f in m.files) / 2**20
        sources = ", ".join(f"{role}:{i.key[:8]}" for role, i in m.inputs.items())
        row = (m.kind, m.key, f"{m.created:%Y-%m-%d %H:%M}", str(len(m.files)), f"{size:.1f}", f"{m.seconds:.1f}")
        table.add_row(*row, sources)
    Console().print(table)
    return FINE


@app.command
def show(key: Annotated[str, Parameter(help="Its key, or the beginning of it.")], /, *, root: Root = ROOT) -> int:
    """Print an artifact's manifest.

    Example: `sim2real store show 3fa9`
    """
    for manifest in _found(_opened(root), key):
        print(manifest.model_dump_json(indent=2))
    return FINE


@app.command
def verify(
    key: Annotated[str, Parameter(help="Only artifacts whose key begins so.")] = "", /, *, root: Root = ROOT
) -> int:
    """Compare every file's SHA-256 with the manifest; status 1 where something is damaged.

    Example: `sim2real store verify`
    """
    from tasks.store import damage

    store = _opened(root)
    folders = [p for p in store.folders() if p.name.startswith(key)]
    if not folders:
        raise _none(store, key)
    damaged = 0
    for folder in folders:
        problems = damage(folder)
        damaged += bool(problems)
        print(f"{folder.relative_to(store.root)}: {'; '.join(problems) or 'ok'}")
    return FAILED if damaged else FINE


@app.command
def gc(
    *,
    days: Annotated[float, Parameter(help="Keep what was used within so many days.")] = 30,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would go.")] = False,
    root: Root = ROOT,
) -> int:
    """Delete what was not used lately and nothing kept was made from.

    Example: `sim2real store gc --days 7 --dry-run`
    """
    from tasks.store import collect, delete

    store, before = _opened(root), time.time() - days * 86400
    gone = 0
    for folder in collect(store, before):
        is_gone = dry_run or delete(store, folder, before)
        gone += is_gone
        what = "would delete" if dry_run else "deleted" if is_gone else "kept, as it was taken up meanwhile:"
        print(f"{what} {folder.relative_to(store.root)}")
    print(f"{gone} folders")
    return FINE


def _opened(root: Path) -> Store:
    from tasks.store import Store, StoreError

    store = Store(root)
    if not store.root.is_dir():
        raise StoreError(f"no store at {store.root}: name one with --root")
    return store


def _found(store: Store, key: str) -> list[Manifest]:
    found = [m for m in store.artifacts() if m.key.startswith(key)]
    if not found:
        raise _none(store, key)
    return found


def _none(store: Store, key: str) -> StoreError:
    from tasks.store import StoreError

    what = f"has a key that begins with {key!r}" if key else "is there"
    return StoreError(f"no artifact of {store.root} {what}")

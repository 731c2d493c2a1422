"""The store: builds an artifact at most once, publishes it by one rename, finds it again by its key."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.compute import Exclusive, peak_memory
from tasks.contracts import Artifact
from tasks.store.environment import describe_environment
from tasks.store.files import PARTIAL, write_json
from tasks.store.manifest import MANIFEST, InputEntry, Manifest, StoreError, damage_error, digest_of, list_files
from tasks.store.recipe import Recipe

log = logging.getLogger(__name__)

BUILDING = ".building"
LOCKS = ".locks"

Make = Callable[[Path], Mapping[str, Any] | None]


class Store:
    """A folder of artifacts, ``<root>/<kind>/<key>/``.

    Args:
        root: the folder; made when first needed.
        resolved: the resolved configuration of this run, saved with every artifact that it builds.
    """

    def __init__(self, root: Path, resolved: Mapping[str, Any] | None = None) -> None:
        self.root = Path(root).expanduser().resolve()
        self.resolved = dict(resolved or {})

    def build(self, recipe: Recipe, make: Make, *, resumable: bool = False) -> Artifact:
        """Return the artifact of a recipe; call ``make`` if there is none.

        Args:
            recipe: what it is made from.
            make: called with an existing temporary folder to fill; returns a JSON-like summary for the manifest.
            resumable: the temporary folder of a crashed build is given to ``make`` as it was left; otherwise it
                is emptied first.

        Raises:
            StoreError: a published artifact cannot be read or replaced, or nothing can be written here.
        """
        kind, key = recipe.kind, recipe.key
        if (hit := self._hit(kind, key)) is not None:  # without a lock: a hit needs no write access
            return hit
        with self._building(kind, key):
            # All of it this time: what the first look found damaged by chance must not pass by chance.
            if (hit := self._hit(kind, key, full=True)) is not None:
                return hit
            return self._built(recipe, make, resumable)

    def _built(self, recipe: Recipe, make: Make, resumable: bool) -> Artifact:
        kind, key = recipe.kind, recipe.key
        final, work = self.root / kind / key, self.root / kind / f".{key}{BUILDING}"
        inputs = {role: InputEntry.of(artifact) for role, artifact in recipe.inputs.items()}
        self._clear(final, work, resumable)
        write_json(made_from(work), [entry.model_dump() for entry in inputs.values()])
        log.info("%s %s: building", kind, key)
        start = time.perf_counter()
        with peak_memory() as peak:
            summary = dict(make(work) or {})
        seconds = time.perf_counter() - start
        for leftover in work.rglob(f"*{PARTIAL}*"):
            leftover.unlink()
        files = list_files(work)
        manifest = Manifest(
            kind=kind,
            key=key,
            digest=digest_of(files),
            config=dict(recipe.config),
            inputs=inputs,
            code=recipe.code,
            files=files,
            summary=summary,
            created=datetime.now(UTC),
            seconds=round(seconds, 3),
            peak_memory=peak.resident,
            peak_gpu_memory=peak.gpu,
            environment=describe_environment(),
            resolved=self.resolved,
        )
        write_json(work / MANIFEST, manifest.model_dump(mode="json"))
        work.rename(final)
        made_from(work).unlink(missing_ok=True)
        log.info("%s %s: done in %.1f s", kind, key, seconds)
        return self._artifact(manifest, final, cached=False)

    def find(self, recipe: Recipe) -> Artifact | None:
        """Return the artifact of a recipe if there is a whole one; nothing is built, and nothing changes."""
        try:
            return self.get(recipe.kind, recipe.key)
        except StoreError:
            return None

    def get(self, kind: str, key: str, *, full: bool = False) -> Artifact:
        """Return a published artifact, after some of its files were hashed, or all of them where ``full``.

        Raises:
            StoreError: there is none with that key, or a file of it is missing, or is not what it was.
        """
        folder = self.root / kind / key
        manifest = Manifest.read(folder)
        if problems := (
            manifest.misplaced(folder)
            or manifest.problems(folder, full=full)
            or ([] if full else manifest.sampled(folder))
        ):
            raise damage_error(folder, problems)
        return self._artifact(manifest, folder, cached=True)

    def artifacts(self) -> Iterator[Manifest]:
        """The manifests of all published artifacts, by kind and then by time of creation; damaged ones are skipped."""
        by_kind: dict[str, list[Manifest]] = {}
        for folder in self.folders():
            try:
                manifest = Manifest.read(folder)
            except StoreError as error:
                log.warning("%s", error)
                continue
            if problems := manifest.misplaced(folder):
                log.warning("%s: %s", folder, problems[0])
            else:
                by_kind.setdefault(manifest.kind, []).append(manifest)
        for kind in sorted(by_kind):
            yield from sorted(by_kind[kind], key=lambda m: m.created)

    def folders(self) -> Iterator[Path]:
        """The folders of published artifacts, damaged ones too; what links point to is none."""
        for kind in sorted(p for p in self.root.glob("[!.]*") if p.is_dir() and not p.is_symlink()):
            yield from sorted(p for p in kind.glob("[!.]*") if p.is_dir() and not p.is_symlink())

    def _hit(self, kind: str, key: str, *, full: bool = False) -> Artifact | None:
        try:
            artifact = self.get(kind, key, full=full)
        except StoreError as error:
            if full and (self.root / kind / key).exists():
                log.warning("%s", f"{error}; it is built again")
            return None
        with suppress(OSError):  # somebody else's store, or one that is read-only
            os.utime(artifact.path)  # when it was last used, for gc
        log.info("%s %s: found in the store", kind, key)
        return artifact

    def _artifact(self, manifest: Manifest, folder: Path, *, cached: bool) -> Artifact:
        fields = manifest.model_dump(include={"kind", "key", "digest", "seconds"})
        return Artifact(**fields, path=folder, cached=cached)

    def _clear(self, final: Path, work: Path, resumable: bool) -> None:
        """Make way for a build: what a damaged artifact still holds is resumed from where the stage can do that."""
        if final.exists():
            (final / MANIFEST).unlink(missing_ok=True)
            if resumable and not work.exists():
                final.rename(work)
            else:
                shutil.rmtree(final)
        if work.exists() and not resumable:
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)

    def lock(self, kind: str, key: str, what: str) -> Exclusive:
        """The lock of an artifact: one builder, or gc, at a time. ``what``: what it is held for."""
        return Exclusive(self.root / LOCKS / f"{kind}-{key}.lock", f"{what} {kind} {key}")

    @contextmanager
    def _building(self, kind: str, key: str) -> Iterator[None]:
        """Hold the lock of an artifact that is to be built."""
        lock = self.lock(kind, key, "building")
        try:
            lock.path.parent.mkdir(parents=True, exist_ok=True)
            lock.__enter__()
        except OSError as error:
            why = error.strerror or error
            raise StoreError(
                f"store {self.root}: {kind} cannot be built here ({why}): make it writable, or name another"
            ) from error
        try:
            yield
        finally:
            lock.release()


def made_from(work: Path) -> Path:
    """The file, beside the locks, that names the inputs of a build while it goes on: gc must keep them."""
    key = work.name.removeprefix(".").removesuffix(BUILDING)
    return work.parents[1] / LOCKS / f"{work.parent.name}-{key}.json"

"""What an artifact says of itself: the manifest (``artifact.json``) that lies in its folder."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tasks.contracts import Artifact
from tasks.store.digest import content_digest, file_sha256

MANIFEST = "artifact.json"
LOG = "log.txt"


class StoreError(Exception):
    """The store cannot give what was asked for; the message says which artifact, which file and what to do."""


class FileEntry(BaseModel):
    """One file of an artifact: POSIX path relative to its folder, size in bytes, SHA-256."""

    path: str
    size: int
    sha256: str


class InputEntry(BaseModel):
    """What an artifact was made from: another artifact's kind, key and content digest."""

    kind: str
    key: str
    digest: str

    @classmethod
    def of(cls, artifact: Artifact) -> InputEntry:
        """How a manifest names an artifact."""
        return cls(kind=artifact.kind, key=artifact.key, digest=artifact.digest)


class Manifest(BaseModel):
    """The content of ``artifact.json``: written last, so a folder without a valid one is not an artifact.

    Attributes:
        config: the slice of the configuration that the artifact depends on.
        inputs: role -> the artifact that played it.
        summary: what the stage wants to be known without opening files (counts, scores, timings).
        peak_memory: bytes that the largest process held at most while building it (a worker's own, where one did it);
            None where that is not known, as in manifests from before it was measured. peak_gpu_memory: the same of a
            GPU, as PyTorch allocated it; None without one.
        environment: versions, machine and git commit it was built with; provenance, not part of the key.
        resolved: the whole resolved configuration of the run that built it; provenance, not part of the key.
    """

    kind: str
    key: str
    digest: str
    config: dict[str, Any]
    inputs: dict[str, InputEntry]
    code: str
    files: list[FileEntry]
    summary: dict[str, Any]
    created: datetime
    seconds: float
    peak_memory: int | None = None
    peak_gpu_memory: int | None = None
    environment: dict[str, Any]
    resolved: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a folder's manifest.

        Raises:
            StoreError: there is none, or it is not valid.
        """
        try:
            return cls.model_validate_json((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            raise StoreError(f"{folder} is not an artifact: it has no {MANIFEST}") from None
        except ValidationError as error:
            raise StoreError(f"{folder / MANIFEST} is damaged: {error.errors()[0]['msg']}") from error

    def problems(self, folder: Path, *, full: bool = False) -> list[str]:
        """List what is wrong with the artifact: files missing or of another size, a digest that is not its files'.

        Args:
            folder: the artifact's.
            full: hash every file as well, and look for files that are not listed.
        """
        found = [p for entry in self.files if (p := _problem(folder / entry.path, entry, full))]
        if self.digest != digest_of(self.files):
            found.append(f"{MANIFEST} was edited: its digest is not that of the files that it lists")
        if full:
            listed = {entry.path for entry in self.files}
            found += [f"{e.path} is not listed" for e in list_files(folder) if e.path not in listed]
        return found

    def misplaced(self, folder: Path) -> list[str]:
        """What is wrong where the folder is another's: nothing may be done by the word of such a manifest alone."""
        told, is_ = f"{self.kind}/{self.key}", f"{folder.parent.name}/{folder.name}"
        return [] if told == is_ else [f"its {MANIFEST} is that of {told}"]

    def sampled(self, folder: Path, files: int = 3) -> list[str]:
        """Hash some of the files, drawn anew each time: what ``problems`` finds by sizes alone is not all."""
        drawn = random.sample(self.files, min(files, len(self.files)))
        return [p for entry in drawn if (p := _problem(folder / entry.path, entry, True))]

    def checked(self, folder: Path, name: str) -> Path:
        """A file that much depends on, such as weights, after its SHA-256 was compared.

        Raises:
            StoreError: the artifact lists no such file, or the file is not what it was.
        """
        entry = next((e for e in self.files if e.path == name), None)
        problem = f"lists no {name}" if entry is None else _problem(folder / name, entry, True)
        if problem:
            raise damage_error(folder, [problem])
        return folder / name


def damage_error(folder: Path, problems: Sequence[str]) -> StoreError:
    """An artifact's damage, the first of it, and what to do."""
    return StoreError(f"{folder} is damaged ({'; '.join(problems[:3])}): delete it and run again")


def damage(folder: Path) -> list[str]:
    """All that is wrong with an artifact of a store, every file hashed; nothing of one that is as it was published."""
    try:
        manifest = Manifest.read(folder)
    except StoreError:
        return [f"no valid {MANIFEST}"]
    return manifest.misplaced(folder) + manifest.problems(folder, full=True)


def _problem(path: Path, entry: FileEntry, full: bool) -> str | None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return f"{entry.path} is missing"
    if size != entry.size:
        return f"{entry.path} has {size} bytes instead of {entry.size}"
    if full and (found := file_sha256(path)) != entry.sha256:
        return f"{entry.path} has SHA-256 {found[:12]}... instead of {entry.sha256[:12]}..."
    return None


def list_files(folder: Path) -> list[FileEntry]:
    """Describe every file below ``folder`` in path order, ``artifact.json`` itself excepted."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)
    return [
        FileEntry(path=p.relative_to(folder).as_posix(), size=p.stat().st_size, sha256=file_sha256(p)) for p in paths
    ]


def digest_of(files: list[FileEntry]) -> str:
    """The content digest of an artifact with these files; what a process printed, and when, does not count."""
    return content_digest([[f.path, f.sha256] for f in files if f.path != LOG])

"""Files that lie in folders or inside zip archives: found, listed and read alike.

A file inside an archive has the archive's path in its own: ``front/img.zip/00cc-11dd/00000000_img_front.jpg``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.archives import archive_of
from tasks.datasets.errors import DatasetError, ItemError, reason_of
from tasks.datasets.opening import LARGEST, leads_out, read_regular
from tasks.store import content_digest

_CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what file managers leave behind, beside hidden files


@dataclass(slots=True)
class Found:
    """The files of a place in order of their paths, and what kept some of it from being listed."""

    files: list[Path] = field(default_factory=list)
    problems: list[ItemError] = field(default_factory=list)


def files_below(place: Path, wanted: Finding) -> Found:
    """List all files below a folder, or in a zip archive; hidden files are left out.

    Links are followed where they do not lead out of the folder that is read (``confined``).

    Args:
        place: the folder or archive.
        wanted: what is looked for there, for the error.

    Raises:
        DatasetError: there is no such folder or archive, or it cannot be read.
    """
    if place.suffix.lower() == ".zip" and place.is_file():
        return _in_zip(place)
    if not place.is_dir():
        raise DatasetError(Finding.of("data.not_there", why=Finding.of("data.no_such_folder"), wanted=wanted), place)
    if leads_out(place):
        raise DatasetError(Finding.of("data.not_there", why=_leads_out(place), wanted=wanted), place)
    found = Found()
    names = []
    for entry in _walk(place):
        if isinstance(entry, ItemError):
            found.problems.append(entry)
        else:
            names.append(entry.path)
    found.files = [Path(name) for name in sorted(names)]
    if not found.files and any(problem.file == place for problem in found.problems):
        raise DatasetError(Finding.of("data.not_there", why=found.problems[0].finding, wanted=wanted), place)
    return found


def fingerprint(places: Iterable[Path], root: Path) -> str:
    """Digest of all files in these folders (or of these files): paths from ``root``, sizes, times of change."""
    entries: list[list[str | int]] = []
    for place in places:
        if not place.is_dir():
            stats = [(str(place), place.stat())] if place.exists() else []
        else:
            files = (entry for entry in _walk(place) if not isinstance(entry, ItemError))
            stats = sorted(((e.path, s) for e in files if (s := _stat(e)) is not None), key=lambda pair: pair[0])
        entries += [[os.path.relpath(path, root), stat.st_size, stat.st_mtime_ns] for path, stat in stats]
    return content_digest(entries)


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file of at most so many bytes, which may lie in a zip archive.

    Raises:
        FileNotFoundError: there is no such file.
        NotReadError: it is no regular file, larger, encrypted, or leads out of the folder that is read.
        OSError: it cannot be read, or its archive is damaged.
    """
    located = _in_archive(path)
    if located is None:
        return read_regular(path, most)
    archive, member = located
    return archive_of(archive).read(member, most)


def is_file(path: Path) -> bool:
    """Whether there is such a file, in a folder or in a zip archive."""
    located = _in_archive(path)
    if located is None:
        try:
            return path.is_file()
        except OSError:  # such as a name that is too long to be one
            return False
    return located[1] in archive_of(located[0]).members


def text_of(path: Path, errors: str = "strict") -> str:
    """The content of a text or JSON file without a byte-order mark; it may be UTF-8, UTF-16 or UTF-32.

    Args:
        path: the file. errors: what becomes of bytes that are none of that, as of ``bytes.decode``.

    Raises:
        OSError: as ``read_bytes``.
        UnicodeDecodeError: it is of none of these encodings.
    """
    content = read_bytes(path)
    encoding = json.detect_encoding(content)  # by its byte-order mark, or by where its first characters have zeros
    return content.decode(encoding, errors).removeprefix("\ufeff")


def text_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number from 1.

    Raises:
        ItemError: it cannot be read as text.
    """
    try:
        lines = text_of(path).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ItemError(path, Finding.of("data.no_text", problem=reason_of(error))) from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _in_archive(path: Path) -> tuple[Path, str] | None:
    """The archive of a path and the name in it; None for an ordinary path."""
    if ".zip/" not in path.as_posix().lower():
        return None
    for parent in path.parents:
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def _in_zip(place: Path) -> Found:
    try:
        archive = archive_of(place)
    except OSError as error:
        raise DatasetError(Finding.of("data.no_archive", problem=reason_of(error)), place) from error
    problems = [ItemError(Path(f"{place}/{name}"), why, "found") for name, why in archive.refused.items()]
    names = (name for name in archive.members if not any(_is_clutter(part) for part in name.split("/")))
    return Found(sorted(place / name for name in names), problems)


def _leads_out(path: Path | str) -> Finding:
    return Finding.of("data.leads_out", real=os.path.realpath(path))


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name in _CLUTTER


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:  # a link to nowhere
        return None


def _walk(folder: Path | str, above: tuple[tuple[int, int], ...] = ()) -> Iterator[os.DirEntry[str] | ItemError]:
    """Every file below a folder; an error for each folder that cannot be listed or that leads back into itself.

    Args:
        folder: where to start.
        above: device and inode of the folders on the way down.
    """
    try:
        stat = os.stat(folder)  # noqa: PTH116 - a string's, thousands of times
        if (stat.st_dev, stat.st_ino) in above:
            yield ItemError(Path(folder), Finding.of("data.link_loop"), "found")
            return
        with os.scandir(folder) as scan:
            entries = [entry for entry in scan if not _is_clutter(entry.name)]
    except OSError as error:
        yield ItemError(Path(folder), Finding.of("data.folder_unreadable", problem=reason_of(error)), "found")
        return
    for entry in entries:
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            yield ItemError(Path(entry.path), Finding.of("data.not_opened", problem=reason_of(error)), "found")
            continue
        if is_folder and entry.is_symlink() and leads_out(entry.path):  # of a file it is told where it is opened
            yield ItemError(Path(entry.path), _leads_out(entry.path), "found")
            continue
        if is_folder:
            yield from _walk(entry.path, (*above, (stat.st_dev, stat.st_ino)))
        else:
            yield entry

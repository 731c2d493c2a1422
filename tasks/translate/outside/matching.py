"""Files that another program made: found below a folder, digested, and matched to the images that they belong to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from tasks.compute import ahead
from tasks.contracts import Finding
from tasks.datasets import SUFFIXES, DatasetError, SampleTable, files_below
from tasks.store import known_sha256


@dataclass(frozen=True)
class Matched:
    """Which file is whose.

    Attributes:
        folder: where the files lie.
        files: id -> its file.
        missing: ids without one, in the table's order.
        others: files that belong to no image.
        unclear: of files that belong to several images, and of images that several files belong to, what is unclear.
    """

    folder: Path
    files: Mapping[str, Path]
    missing: Sequence[str]
    others: Sequence[Path]
    unclear: Sequence[Finding]

    def problem(self) -> Finding | None:
        """Why these are not the translations of the whole table, if they are not."""
        if self.unclear:
            return self.unclear[0]
        if not self.missing:
            return None
        others = tuple(str(path.relative_to(self.folder)) for path in self.others)
        told = Finding.of("outside.others", n=len(others), names=others) if others else ""
        missing, images = len(self.missing), len(self.missing) + len(self.files)
        ids = tuple(self.missing)
        return Finding.of("outside.missing", folder=self.folder, missing=missing, images=images, ids=ids, others=told)


def images_below(folder: Path) -> list[Path]:
    """The images below a folder, in order of their paths.

    Raises:
        DatasetError: there is no such folder, or not all of it can be listed.
    """
    wanted = Finding.of("data.wanted_images", form=", ".join(SUFFIXES))
    return [path for path in files_of(folder, wanted) if path.suffix.lower() in SUFFIXES]


def files_of(folder: Path, wanted: Finding | None = None) -> list[Path]:
    """All files below a folder that are not hidden, in order of their paths; ``wanted``: what is looked for there.

    Raises:
        DatasetError: there is no such folder, or not all of it can be listed.
    """
    found = files_below(folder.expanduser(), wanted or Finding.of("outside.wanted_files"))
    for problem in found.problems:
        raise DatasetError(problem.finding, problem.file)
    return found.files


def digests(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Path below the folder -> SHA-256. A file is read once in a process for as long as it is not changed.

    Raises:
        OSError: a file cannot be read.
    """
    found, start = list(files), folder.expanduser()
    return dict(zip((p.relative_to(start).as_posix() for p in found), ahead(known_sha256, found), strict=True))


def matched(
    table: SampleTable, folder: Path, files: Iterable[Path], suffix: str = "", renamed: tuple[str, str] = ("", "")
) -> Matched:
    """Find the file of each image of a table by its name.

    A file's name is its path below the folder, without its suffix. It is an image's by the first of these that holds:
    it is the image's id; it is the end of the image's path, from some folder on, and of no other's; or its last part
    is the image's id. How Unicode spells an accent or a syllable makes no difference.

    Args:
        table: the images.
        folder: where the files lie.
        files: the files.
        suffix: what base names end with beside the image's; a file without it is no image's.
        renamed: what of an image's path is written otherwise in the file's, and how.
    """
    folder = folder.expanduser()
    ids: list[str] = table.rows["id"].to_pylist()
    by_id, by_path = {_spelt(id_): id_ for id_ in ids}, _ends(table, renamed)
    found: dict[str, list[Path]] = {}
    others, unclear = [], []
    for path in files:
        name = _name(path.relative_to(folder), suffix)
        whose = by_path.get(name, []) if name not in by_id else [by_id[name]]
        if not whose and (last := name.rpartition("/")[2]) in by_id:
            whose = [by_id[last]]
        if len(whose) > 1:
            unclear.append(Finding.of("outside.several_images", file=path, ids=tuple(whose)))
        elif whose:
            found.setdefault(whose[0], []).append(path)
        else:
            others.append(path)
    unclear += [_twice(id_, paths) for id_, paths in found.items() if len(paths) > 1]
    missing = [id_ for id_ in ids if id_ not in found]
    return Matched(folder, {id_: paths[0] for id_, paths in found.items()}, missing, others, unclear)


def _twice(id_: str, paths: Sequence[Path]) -> Finding:
    return Finding.of("outside.several_files", id=id_, first=paths[0], second=paths[1])


def _ends(table: SampleTable, renamed: tuple[str, str]) -> dict[str, list[str]]:
    """Every end of an image's path without suffix -> the ids of the images whose paths end so."""
    found: dict[str, list[str]] = {}
    for sample in table:
        image = sample.image.relative_to(table.root) if table.root is not None else sample.image
        name = _name(image, "")
        parts = (name.replace(*renamed) if renamed[0] else name).split("/")
        for start in range(len(parts)):
            found.setdefault("/".join(parts[start:]), []).append(sample.id)
    return found


def _name(path: PurePath, suffix: str) -> str:
    """A path without its suffix, and without what base names end with; empty where it does not end so."""
    name = path.with_suffix("").as_posix()
    return _spelt(name.removesuffix(suffix)) if name.endswith(suffix) else ""


def _spelt(name: str) -> str:
    return unicodedata.normalize("NFC", name)

"""Zip archives as folders: which of their members may be read, by which names, and how much of each."""

from __future__ import annotations

import errno
import lzma
import os
import stat
import struct
import threading
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from tasks.contracts import Finding
from tasks.datasets.errors import DamagedArchiveError
from tasks.datasets.opening import NotReadError, check_bytes, leads_out, open_regular

# What zipfile raises for a damaged archive, beside OSError; RuntimeError: of an unknown kind.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, ValueError, struct.error)
_UTF8, _ENCRYPTED = 0x800, 0x1  # flags of a member (APPNOTE.TXT, 4.4.4)
_ENCODINGS = ("utf-8", "cp949")  # of names that do not say theirs: Unix programs', and those of a Korean Windows
_DOS = 0  # the system whose programs may separate folders by "\"
_opened: dict[tuple[str, int, int], Archive] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Archive:
    """An open archive.

    Attributes:
        members: its files by their paths in it.
        refused: members that cannot be read, and why.
    """

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    refused: dict[str, Finding] = field(default_factory=dict)

    def read(self, name: str, most: int) -> bytes:
        """A member's content of at most so many bytes.

        Raises:
            FileNotFoundError: there is no such member.
            NotReadError: it is encrypted, a link, or larger; or its name leads out of the archive.
            DamagedArchiveError: its content is not what was packed.
        """
        if (why := self.refused.get(name)) is not None:
            raise NotReadError(why.code, **why.values)
        if (info := self.members.get(name)) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        check_bytes(info.file_size, most)
        try:
            with self.file.open(info) as stream:
                content = stream.read(most + 1)  # what it says of its size may be a lie
        except _DAMAGED as error:
            raise DamagedArchiveError(str(error)) from error
        check_bytes(len(content), most)
        if len(content) != info.file_size:
            raise DamagedArchiveError(f"{len(content)} bytes instead of {info.file_size}")
        return content


def archive_of(path: Path) -> Archive:
    """The open archive. A forked process opens its own: a shared file position would mix up what is read.

    An archive that was replaced is opened anew.

    Raises:
        OSError: it cannot be read, is no zip archive, or leads out of the folder that is read.
    """
    if leads_out(path):  # also where it is open already
        raise NotReadError("data.leads_out", real=os.path.realpath(path))
    key = (str(path), os.getpid(), path.stat().st_mtime_ns)
    with _lock:
        if key not in _opened:
            try:
                _opened[key] = _listed(zipfile.ZipFile(open_regular(path)))
            except _DAMAGED as error:
                raise DamagedArchiveError(str(error)) from error
        return _opened[key]


def _listed(file: zipfile.ZipFile) -> Archive:
    archive = Archive(file)
    for info in file.infolist():
        name = _name(info)
        if name.endswith("/"):
            continue
        if (why := _refused(name, info)) is not None:
            archive.refused[name] = why
        elif name in archive.members:
            archive.refused[name] = Finding.of("data.member_twice")
        else:
            archive.members[name] = info
    for name in archive.refused:
        archive.members.pop(name, None)
    return archive


def _name(info: zipfile.ZipInfo) -> str:
    """A member's path; zipfile takes a name that does not say its encoding for one of cp437."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8 and not name.isascii():
        raw = name.encode("cp437")
        for encoding in _ENCODINGS:
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/") if info.create_system == _DOS else name


def _refused(name: str, info: zipfile.ZipInfo) -> Finding | None:
    """Why a member is not read: a name that leads out of the archive or is no file's, a link, or encryption."""
    if name.startswith("/") or "\0" in name or ".." in name.split("/") or name[1:2] == ":":
        return Finding.of("data.member_leads_out")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Finding.of("data.not_regular")
    return Finding.of("data.member_encrypted") if info.flag_bits & _ENCRYPTED else None

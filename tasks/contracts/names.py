"""Names as people can read them, whatever bytes they are."""

from __future__ import annotations

_ENCODINGS = ("utf-8", "cp949")  # of names: a Korean Windows packs archives with the second


def readable(name: str) -> str:
    r"""A file's name as text that every file and terminal takes.

    Python keeps the bytes of a name that are no UTF-8 as lone surrogates, which nothing writes. A part of the path that
    has some is read as a Korean Windows wrote it, or else shows them as ``\xNN``.
    """
    if name.isascii():
        return name
    try:
        name.encode()
        return name
    except UnicodeEncodeError:
        return "/".join(map(_part, name.split("/")))


def _part(name: str) -> str:
    try:
        raw = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, as JSON can write it: no file's name
        return name.encode("utf-8", "backslashreplace").decode()
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")

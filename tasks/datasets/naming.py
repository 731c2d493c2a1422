"""Names that become files: what an image's id may be, and how a table writes a path that is no UTF-8."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc

from tasks.contracts import readable

# Of the 255 bytes that a file's name has, what is written beside or below an id takes some: suffixes, and ".partial".
_LONGEST = 200
_WITH_VARIANT = 220  # an id's translations are named after it
_DIGITS = 12  # of the digest that a name ends with that had to be cut
_UNUSABLE = r"[/\x00-\x1f\x7f]"
_BYTES = "@bytes/"  # what a path begins with that is written as the bytes it is


def usable_names(ids: Iterable[str]) -> dict[str, str]:
    """Ids as file names by which they can be written: the same, where they can; always different for different ids.

    What is no UTF-8 becomes readable, accents are composed (macOS takes them apart), characters that no name has become
    ``_``. A name of more than 200 bytes, or that two would have, ends with a digest of the id.
    """
    names = {id_: _usable(id_) for id_ in ids}
    times = Counter(names.values())
    return {id_: _digested(id_, name) if times[name] > 1 and name != id_ else name for id_, name in names.items()}


def spelt_alike(names: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """The names that others spell otherwise, by another normal form of Unicode: name -> the other's spelling.

    macOS takes syllables and accents apart in the names of files. Where two names are alike, or two others, none is.
    """
    mine, there = set(names), set(others)
    strange = [n for n in mine - there if not n.isascii()]
    if not strange:
        return {}
    of_form, to_form = _by_form(strange), _by_form(n for n in there - mine if not n.isascii())
    pairs = ((found, to_form.get(form, [])) for form, found in of_form.items())
    return {found[0]: alike[0] for found, alike in pairs if len(found) == len(alike) == 1}


def _by_form(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(unicodedata.normalize("NFC", name), []).append(name)
    return found


def _usable(id_: str) -> str:
    name = unicodedata.normalize("NFC", readable(id_))
    name = re.sub(_UNUSABLE, "_", name)
    if name in ("", ".", "..") or len(name.encode()) > _LONGEST:
        return _digested(id_, name)
    return name


def _digested(id_: str, name: str) -> str:
    start = name.encode()[: _LONGEST - _DIGITS - 1].decode(errors="ignore")
    return f"{start}~{hashlib.sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]}"


def unusable(rows: pa.Table) -> str | None:
    """The first id or split of a sample table's rows that would not lie in the folder it is written to, if any.

    A split may be a path, such as ``town01/train``.
    """
    ids = rows["id"]
    bad = pc.or_(
        pc.match_substring_regex(ids, rf"^\.{{0,2}}$|{_UNUSABLE}"), pc.greater(pc.binary_length(ids), _WITH_VARIANT)
    )
    found = [*ids.filter(pc.fill_null(bad, True)).slice(0, 1).to_pylist()]
    found += [s for s in rows["split"].unique().to_pylist() if s is None or not _stays(s)]
    return repr(found[0]) if found else None


def _stays(split: str) -> bool:
    parts = split.split("/")
    return not any(part in ("", ".", "..") or re.search(_UNUSABLE, part) for part in parts)


def path_text(path: str) -> str:
    """A path as UTF-8: itself, or its bytes with ``%``."""
    return path if readable(path) == path else _BYTES + quote_from_bytes(os.fsencode(path))


def text_path(text: str) -> str:
    """The path that ``path_text`` wrote."""
    return os.fsdecode(unquote_to_bytes(text.removeprefix(_BYTES))) if text.startswith(_BYTES) else text

"""Digests of values, files and code: what an artifact is named by."""

from __future__ import annotations

import functools
import hashlib
import json
import tokenize
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_DIGEST_CHARS = 20  # 80 bits: no collision to be expected below 10^11 artifacts, and still readable in a path
_PROSE = (tokenize.ENCODING, tokenize.COMMENT, tokenize.NL)
_CODE_ROOT = Path(__file__).resolve().parents[2]


def content_digest(value: Any) -> str:
    """Digest a JSON-like value (dicts in any order, paths, pydantic models) as 20 hexadecimal characters."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no canonical JSON form: {value!r}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal characters."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@functools.cache
def code_version(*names: str) -> str:
    """Digest the code of modules and packages, by their dotted names.

    Comments, docstrings and formatting do not count, so that editing prose never repeats a training.

    Args:
        names: dotted names under this repository, such as ``tasks.datasets`` (a package counts with all below it)
            or ``tasks.translate.apply``.

    Raises:
        FileNotFoundError: a name is neither a module nor a package of this repository.
    """
    return content_digest([[p.relative_to(_CODE_ROOT).as_posix(), _code_of(p)] for n in names for p in _sources(n)])


def _sources(name: str) -> list[Path]:
    base = _CODE_ROOT.joinpath(*name.split("."))
    module = base.with_suffix(".py")
    if module.is_file():
        return [module]
    if base.is_dir():
        return sorted(base.rglob("*.py"))
    raise FileNotFoundError(f"no module or package {name!r} under {_CODE_ROOT}")


def _code_of(path: Path) -> str:
    """Digest a source file's tokens, less comments, blank lines and strings that are a statement of their own.

    Not by ``ast``: in Python 3.11 its constructor fails at random when several threads parse at once.
    """
    with path.open("rb") as stream:
        tokens = [t for t in tokenize.tokenize(stream.readline) if t.type not in _PROSE]
    code: list[list[int | str]] = []
    line: list[list[int | str]] = []
    for token in tokens:
        line.append([token.type, "" if token.type == tokenize.INDENT else token.string])
        if token.type == tokenize.NEWLINE:
            meat = [kind for kind, _ in line if kind not in (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE)]
            prose = meat == [tokenize.STRING]
            code += [item for item in line if item[0] in (tokenize.INDENT, tokenize.DEDENT)] if prose else line
            line = []
    return content_digest([*code, *line])

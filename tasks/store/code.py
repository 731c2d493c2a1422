"""The version of a stage's code: of its entry, and of all that this imports from this repository, at any depth."""

from __future__ import annotations

import functools
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks import exported
from tasks.store.digest import content_digest, file_sha256

ROOT = Path(__file__).resolve().parents[2]
# Modules that cannot change a result: neither they nor what they import count.
NEUTRAL = {
    "tasks.catalogue.formats": "wording",
    "tasks.catalogue.language": "wording",
    "tasks.compute.config": "which machine is used, and how",
    "tasks.compute.gpus": "which GPU is held, not what is computed on it",
    "tasks.compute.locking": "who waits for whom",
    "tasks.compute.machine": "which device and threads are held; results on others differ by rounding alone",
    "tasks.compute.memory": "measures, and changes nothing",
    "tasks.compute.ordered": "how far ahead threads work; results come in the order of what they are of",
    "tasks.compute.process": "how a worker is started, heard and ended",
    "tasks.compute.progress": "what a terminal and a log show of long work",
    "tasks.compute.stage": "a limit over machines",
    "tasks.compute.shared_memory": "measures, and changes nothing",
    "tasks.compute.turns": "threads of each network; results on others differ by rounding alone",
    "tasks.compute.watchdog": "when a worker is ended",
    "tasks.compute.worker": "how a worker ends",
    "tasks.retrain.loaders": "refuses and explains, and changes nothing",
    "tasks.sample.make_sample": "what it draws is an artifact of its own, and an input by its content",
    "tasks.store.code": "names artifacts: a change of it changes the names by itself",
    "tasks.store.digest": "names artifacts: a change of it changes the names by itself",
    "tasks.store.environment": "provenance, which is no part of a key",
    "tasks.store.gc": "only deletes",
    "tasks.store.manifest": "describes what was made",
    "tasks.store.recipe": "names artifacts: a change of it changes the names by itself",
    "tasks.store.places": "where data sets lie",
    "tasks.store.store": "keeps what was made",
    "tasks.translate.training.board": "TensorBoard's files, which lie in no artifact",
}
_REPOSITORY = ("tasks", "flows")
_NAME = re.compile(r"""["']((?:tasks|flows)(?:\.\w+)+)["']""")
_PROSE = (tokenize.ENCODING, tokenize.COMMENT, tokenize.NL)
_LAYOUT = (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE)
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")

Line = list[tokenize.TokenInfo]


@dataclass(frozen=True)
class _Source:
    """A file as it counts. refers: what it imports, as (module, name); no name stands for the module itself."""

    digest: str
    refers: tuple[tuple[str, str | None], ...]


@functools.cache
def code_version(*entries: str, root: Path = ROOT) -> str:
    """Digest the code that a result depends on.

    Prose does not count: comments, docstrings, formatting, lines of logging, the ``description`` of a setting, and what
    ``with_progress`` shows. So editing it never repeats a training. Nor do the modules of ``NEUTRAL``.

    Args:
        entries: dotted names of modules: the one that makes the result, and those that it imports by a name put
            together while it runs, such as a translator's method. One of ``NEUTRAL`` counts where it is named here.
        root: the folder of the packages.

    Raises:
        ModuleNotFoundError: an entry is no module of this repository.
    """
    return content_digest([[name, _digest(root, name)] for name in closure(*entries, root=root)])


def closure(*entries: str, root: Path = ROOT) -> list[str]:
    """The modules and data files that a result depends on, as dotted names and as paths, in order.

    Imports are followed wherever they stand, inside functions as well. A name that is taken from a room's face leads
    to the module that it comes from, and to no other of the room. A module that a string names, such as a worker's,
    counts as imported. Data files (templates, texts) that lie beside a module belong to it.

    Args:
        entries: as of ``code_version``. root: the folder of the packages.
    """
    found: set[str] = set()
    todo = list(entries)
    for entry in entries:
        if _file(root, entry) is None:
            raise ModuleNotFoundError(f"no module {entry!r} under {root}")
    while todo:
        name = todo.pop()
        if name in found or (name in NEUTRAL and name not in entries):
            continue
        found.add(name)
        if (path := _file(root, name)) is None:
            continue
        found |= {p.relative_to(root).as_posix() for p in _data(path)}
        todo += (f for f in _faces_aside(root, name) if f not in found)
        todo += {m for module, part in _source(path.read_bytes()).refers for m in _homes(root, module, part)}
    return sorted(found)


def _faces_aside(root: Path, name: str) -> Iterator[str]:
    """The packages around a module whose ``__init__`` runs code of its own."""
    parts = name.split(".")
    for package in (".".join(parts[:n]) for n in range(2, len(parts))):
        path = _file(root, package)
        if path is not None and not exported(path) and _source(path.read_bytes()).digest != _source(b"").digest:
            yield package


def _file(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    found = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((path for path in found if path.is_file()), None)


def _homes(root: Path, module: str, name: str | None) -> Iterator[str]:
    """Where a name that is imported from a module comes from."""
    path = _file(root, module)
    if path is None:
        return
    if name is not None and path.name == "__init__.py":
        if (home := exported(path).get(name)) is not None:
            yield from _homes(root, home, name)
            return
        if _file(root, f"{module}.{name}") is not None:
            yield f"{module}.{name}"
            return
    if path != root / "tasks" / "__init__.py":  # what makes faces lazy
        yield module


def _data(path: Path) -> list[Path]:
    """The data files beside a module, and in folders beside it that are no packages."""
    beside = [p for p in path.parent.iterdir() if p.name != "__pycache__"]
    folders = [p for p in beside if p.is_dir() and not (p / "__init__.py").exists()]
    files = [p for p in beside if p.is_file()] + [p for f in folders for p in f.rglob("*") if p.is_file()]
    return [p for p in files if p.suffix not in (".py", ".pyc", ".typed") and not p.name.startswith(".")]


def _digest(root: Path, name: str) -> str:
    path = _file(root, name)
    return file_sha256(root / name) if path is None else _source(path.read_bytes()).digest


@functools.lru_cache(maxsize=4096)
def _source(content: bytes) -> _Source:
    """Read a source file by its tokens. Not by ``ast``: see ``tasks.face``."""
    code: list[str] = []
    refers: list[tuple[str, str | None]] = []
    for line in _lines(content):
        words = [t for t in line if t.type not in _LAYOUT]
        layout = [tokenize.tok_name[t.type] for t in line if t.type in (tokenize.INDENT, tokenize.DEDENT)]
        code += layout
        if _is_prose(words):
            continue
        code += [*_without_texts(words), "NEWLINE"]
        refers += _imports([t.string for t in words])
        refers += ((m[1], None) for t in words if t.type == tokenize.STRING and (m := _NAME.fullmatch(t.string)))
    return _Source(content_digest(code), tuple(dict.fromkeys(refers)))


def _lines(content: bytes) -> Iterator[Line]:
    line: Line = []
    for token in tokenize.tokenize(io.BytesIO(content).readline):
        if token.type in _PROSE:
            continue
        line.append(token)
        if token.type == tokenize.NEWLINE:
            yield line
            line = []
    yield line


def _is_prose(words: Line) -> bool:
    """Whether a statement is a docstring, or a line of logging."""
    logs = [t.string for t in words[:2]] == ["log", "."]
    return logs or all(t.type == tokenize.STRING for t in words)


def _without_texts(words: Line) -> Iterator[str]:
    """A statement's tokens without texts for people: settings' descriptions, and what long work is called."""
    calls: list[str] = []  # what stands before each bracket that is open
    for i, token in enumerate(words):
        before = words[i - 1].string if i else ""
        if token.string in _OPENING:
            calls.append(before if token.string == "(" else "")
        elif token.string in _CLOSING and calls:
            calls.pop()
        if token.type == tokenize.STRING and (_describes(words, i) or (calls and calls[-1] == "with_progress")):
            continue
        yield token.string


def _describes(words: Line, i: int) -> bool:
    """Whether a string is (a part of) the value of ``description=``."""
    while i > 0 and words[i].type == tokenize.STRING:
        i -= 1
    return [t.string for t in words[max(i - 1, 0) : i + 1]] == ["description", "="]


def _imports(words: list[str]) -> Iterator[tuple[str, str | None]]:
    """What a statement imports from this repository."""
    for start in (i for i in range(len(words)) if i == 0 or words[i - 1] in (":", ";")):
        rest = words[start:]
        if rest[:1] == ["import"]:
            yield from ((module, None) for module in _listed(rest[1:]) if module.split(".")[0] in _REPOSITORY)
        elif rest[:1] == ["from"] and "import" in rest:
            at = rest.index("import")
            module = "".join(rest[1:at])
            if module.split(".")[0] in _REPOSITORY:
                yield from ((module, name) for name in _listed(rest[at + 1 :]))


def _listed(words: Iterable[str]) -> list[str]:
    """``a.b as c, (d)`` as ``a.b`` and ``d``."""
    text = " ".join(w for w in words if w not in ("(", ")"))
    return [part.split(" as ")[0].replace(" ", "") for part in text.split(",") if part.strip()]

"""The rules of the house: rooms import downward and through faces only, and Prefect stays at the front door."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from tasks import exported

# From the ground up: a room may use those before it.
ROOMS = (
    *(
        "contracts",
        "catalogue",
        "compute",
        "store",
        "settings",
        "sample",
        "datasets",
        "translate",
        "retrain",
        "evaluate",
        "audit",
    ),
    *("charts", "report", "trends"),
)
MODULES = sorted(Path("tasks").rglob("*.py"))
FLOWS = sorted(Path("flows").rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Every module that a file imports, inside functions as well, and the names that it takes from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]


def rooms_used(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """The imports of other rooms: room, module, names."""
    mine = path.parts[1] if path.parts[0] == "tasks" else None
    for module, names in imported(path):
        parts = module.split(".")
        if parts[0] == "tasks" and len(parts) > 1 and parts[1] != mine:
            yield parts[1], module, names


@pytest.mark.parametrize("path", [p for p in MODULES if len(p.parts) > 2], ids=str)
def test_rooms_import_downward_only(path: Path) -> None:
    below = ROOMS[: ROOMS.index(path.parts[1])]
    assert {room for room, _, _ in rooms_used(path)} <= set(below)
    assert not any(module.split(".")[0] == "flows" for module, _ in imported(path))


@pytest.mark.parametrize("path", [*MODULES, *FLOWS], ids=str)
def test_rooms_use_each_other_through_their_faces(path: Path) -> None:
    for room, module, names in rooms_used(path):
        # Prefect tasks are no part of a face, which is plain Python.
        if module == f"tasks.{room}.stage":
            assert path.parts[0] == "flows" or path.name == "stage.py", module
            continue
        assert module == f"tasks.{room}"
        assert set(names) <= exported(Path("tasks") / room / "__init__.py").keys()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_stages_import_prefect(path: Path) -> None:
    assert path.name == "stage.py" or not any(m.split(".")[0] == "prefect" for m, _ in imported(path))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_face(room: str) -> None:
    face = Path("tasks") / room / "__init__.py"
    names = exported(face)
    module = __import__(f"tasks.{room}", fromlist=["*"])
    assert sorted(names) == module.__all__
    assert all(getattr(module, name) is not None for name in names)
    # A module would hide the name that it shares with the face as soon as it is imported.
    assert not names.keys() & {p.stem for p in face.parent.iterdir()}


def test_no_class_name_twice() -> None:
    places = defaultdict(list)
    for path in (*MODULES, *FLOWS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def differ_by_one_letter(a: str, b: str) -> bool:
    """Whether one letter added, left out or replaced makes one name the other."""
    short, long = sorted((a, b), key=len)
    if len(short) == len(long):
        return sum(x != y for x, y in zip(a, b, strict=True)) == 1
    return any(short == long[:i] + long[i + 1 :] for i in range(len(long)))


def test_module_names_of_a_package_differ_by_more_than_one_letter() -> None:
    assert [differ_by_one_letter("chart", other) for other in ("charts", "cart", "chant", "charter")] == [1, 1, 1, 0]
    names = defaultdict(set)
    for path in (*MODULES, *FLOWS):
        names[path.parent].add(path.stem)
        if path.name == "__init__.py":
            names[path.parent.parent].add(path.parent.name)
    pairs = ((package, *pair) for package, found in names.items() for pair in combinations(sorted(found), 2))
    assert [(str(package), a, b) for package, a, b in pairs if differ_by_one_letter(a, b)] == []


def test_no_place_of_one_machine_is_committed() -> None:
    import subprocess

    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    words = ["/ho" + "me/", "/ro" + "ot/", "files.python" + "hosted"]
    texts = {f: Path(f).read_text(errors="replace") for f in files if Path(f).is_file()}
    assert [f for f, text in texts.items() if any(word in text for word in words)] == []

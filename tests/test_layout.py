"""The rules of the house: rooms import leftward only, and Prefect stays at the front door."""

import ast
from pathlib import Path

import pytest

ROOMS = ("datasets", "translate", "retrain", "evaluate", "report")
BESIDE = ("store", "progress", "process", "loading", "memory")
MODULES = sorted(Path("tasks").rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_rooms_import_leftward_only(path: Path) -> None:
    room = path.parts[1].removesuffix(".py")
    allowed = {*BESIDE, *(ROOMS[: ROOMS.index(room) + 1] if room in ROOMS else ())}
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("tasks.")}
    assert rooms <= allowed
    assert not any(name.split(".")[0] == "flows" for name in imported(path))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_stages_import_prefect(path: Path) -> None:
    assert path.name == "stage.py" or not any(name.split(".")[0] == "prefect" for name in imported(path))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_the_same_front(room: str) -> None:
    assert (Path("tasks") / room / "config.py").is_file()
    assert (Path("tasks") / room / "stage.py").is_file()


def test_no_place_of_one_machine_is_committed() -> None:
    import subprocess

    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    words = ["/ho" + "me/", "/ro" + "ot/", "files.python" + "hosted"]
    texts = {f: Path(f).read_text(errors="replace") for f in files if Path(f).is_file()}
    assert [f for f, text in texts.items() if any(word in text for word in words)] == []

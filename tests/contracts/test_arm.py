"""Arms: what their names say, that they stay plain strings in files, and that nothing else takes names apart."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.contracts.arm import Arm

NAMES = ("real", "source", "translated(cut)", "real+source", "real+translated(cut-v1.2)")


class Cells(BaseModel):
    model_config = ConfigDict(frozen=True)

    arm: Arm
    images: dict[Arm, int] = {}


@pytest.mark.parametrize(
    ("name", "parts", "translator", "mixed"),
    [
        ("real", ("real",), None, False),
        ("source", ("source",), None, False),
        ("translated", ("translated",), None, False),
        ("translated(cut)", ("translated(cut)",), "cut", False),
        ("real+source", ("real", "source"), None, True),
        ("real+translated", ("real", "translated"), None, True),
        ("real+translated(cut-v1.2)", ("real", "translated(cut-v1.2)"), "cut-v1.2", True),
        ("real+translated(a+b)", ("real", "translated(a+b)"), "a+b", True),
    ],
)
def test_a_name_says_what_is_trained_on(name: str, parts: tuple[str, ...], translator: str | None, mixed: bool) -> None:
    arm = Arm(name)
    assert (str(arm), arm.parts, arm.translator, arm.mixed) == (name, parts, translator, mixed)
    assert all(isinstance(part, Arm) for part in arm.parts)


@pytest.mark.parametrize(
    "name",
    ["", "Real", "real+real", "source+real", "real+", "translated()", "translated(a)+real", "cut"],
)
def test_other_names_are_no_arms(name: str) -> None:
    with pytest.raises(ValueError, match="unknown arm"):
        Arm(name)
    with pytest.raises(ValidationError, match="unknown arm"):
        Cells(arm=name)


def test_mixed_with_real_images() -> None:
    assert {name: Arm(name).with_real for name in NAMES} == {
        "real": "real",
        "source": "real+source",
        "translated(cut)": "real+translated(cut)",
        "real+source": "real+source",
        "real+translated(cut-v1.2)": "real+translated(cut-v1.2)",
    }
    assert Arm.translated("cut").with_real.translator == "cut"


def test_a_bare_translated_stands_for_every_translator() -> None:
    assert Arm("translated").expanded(("cut", "fda")) == ("translated(cut)", "translated(fda)")
    assert Arm("real+translated").expanded(("cut",)) == ("real+translated(cut)",)
    assert Arm("translated").expanded(()) == ()
    assert [Arm(name).expanded(("fda",)) for name in NAMES] == [(name,) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_an_arm_is_a_plain_string_in_files_and_the_same_when_read_again(name: str) -> None:
    cells = Cells(arm=name, images={name: 3})
    assert cells.model_dump_json() == f'{{"arm":"{name}","images":{{"{name}":3}}}}'
    again = Cells.model_validate_json(cells.model_dump_json())
    assert again == cells
    assert type(again.arm) is Arm is type(next(iter(again.images)))
    sent = pickle.loads(pickle.dumps(again.arm))
    assert (type(sent), sent.parts, hash(sent)) == (Arm, Arm(name).parts, hash(name))
    assert Cells.model_json_schema()["properties"]["arm"] == {"title": "Arm", "type": "string"}


def texts(path: Path) -> Iterator[str]:
    """The strings of a file's code that are no sentences."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            yield node.value


@pytest.mark.parametrize("mark", ["translated(", "translated\\(", "real+", "real\\+"])
def test_nothing_else_takes_names_of_arms_apart(mark: str) -> None:
    modules = [p for room in ("tasks", "flows", "benchmarks") for p in sorted(Path(room).rglob("*.py"))]
    found = [p.as_posix() for p in modules if any(mark in s for s in texts(p))]
    assert [p for p in found if p not in {"tasks/contracts/arm.py", "tasks/contracts/composition.py"}] == []

"""Arms that were made under other versions, or on another kind of device, are told in the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.contracts.comparison import Comparison, MadeWith, Note
from tasks.contracts.task import Task
from tasks.evaluate.make_comparison import build_comparison
from tasks.store import store as building
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tests.evaluate.test_comparison import config, segmentation, truth_maps, wrong

ARMS = ("real", "source", "translated(cut)")
SAME = {"torch": "2.11.0", "numpy": "2.3.0", "onedl-mmengine": "0.10.12", "prefect": "3.8.1"}
Made = Mapping[tuple[str, str], tuple[Mapping[str, str], str] | tuple[Mapping[str, str], str, str]]


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The notes of a comparison whose models and evaluations were made with what is given, by kind and arm."""

    def build(made: Made, task: Task = "segmentation") -> tuple[Note, ...]:
        store = Store(tmp_path / "store")

        def artifact(kind: str, arm: str, make: Any, inputs: Mapping[str, Artifact]) -> Artifact:
            packages, device, *precision = made.get((kind, arm), ({}, "cpu"))
            environment = {"git": arm, "python": "3.11.9", "cores": len(arm), "packages": {**SAME, **packages}}
            monkeypatch.setattr(building, "describe_environment", lambda: environment)

            def whole(folder: Path) -> dict[str, Any]:
                make(folder)
                return {"device": device, "precision": (*precision, "float32")[0]}

            return store.build(Recipe(kind, {"arm": arm}, inputs, "c"), whole)

        scored = {}
        for i, arm in enumerate(ARMS):
            model = artifact("model", arm, lambda folder, i=i: (folder / "w").write_text(str(i)), {})

            def score(folder: Path, i: int = i) -> None:
                folder.rmdir()
                segmentation(folder, truth_maps(), wrong(truth_maps(), 0.1 * i))

            scored[task, Arm(arm), 0] = artifact("evaluation", arm, score, {"model": model})
        found = build_comparison(scored, tuple(scored), config(), Arm("source"), Arm("real"), store)
        (of,) = Comparison.read(found.path).tasks
        return tuple(n for n in of.notes if n.code == "made_with")

    return build


def test_arms_that_were_made_alike_need_no_note(notes: Any) -> None:
    assert notes({}) == ()
    assert notes({("model", arm): ({"prefect": arm}, "cpu") for arm in ARMS}) == ()


@pytest.mark.parametrize("kind", ["model", "evaluation"])
@pytest.mark.parametrize("package", ["torch", "numpy", "onedl-mmengine"])
def test_versions_that_differ_are_told_with_their_arms(notes: Any, kind: str, package: str) -> None:
    (note,) = notes({(kind, "translated(cut)"): ({package: "9.9"}, "cpu")})
    others, cut = note.made
    assert others == MadeWith(arms=("real", "source"), versions={package: SAME[package]})
    assert cut.arms == ("translated(cut)",)
    assert "9.9" in cut.versions[package]


def test_another_kind_of_device_is_told(notes: Any) -> None:
    (note,) = notes({("model", "real"): ({}, "cuda"), ("evaluation", "real"): ({}, "cuda")})
    assert [(m.arms, m.versions) for m in note.made] == [
        (("real",), {"device": "cuda"}),
        (("source", "translated(cut)"), {"device": "cpu"}),
    ]


def test_another_precision_is_told(notes: Any) -> None:
    (note,) = notes({("evaluation", "real"): ({}, "cpu", "bfloat16")})
    assert [(m.arms, m.versions) for m in note.made] == [
        (("real",), {"precision": "bfloat16"}),
        (("source", "translated(cut)"), {"precision": "float32"}),
    ]


def test_only_the_stage_that_differs_is_told(notes: Any) -> None:
    models = {("model", arm): ({}, "A GPU" if arm == "real" else "Another GPU") for arm in ARMS}
    (note,) = notes({**models, **{("evaluation", arm): ({}, "cuda") for arm in ARMS}})
    assert [m.versions for m in note.made] == [{"device": "A GPU"}, {"device": "Another GPU"}]


def test_the_same_split_between_training_and_scoring_in_all_arms_needs_no_note(notes: Any) -> None:
    assert notes({("evaluation", arm): ({"torch": "2.12.0"}, "cuda") for arm in ARMS}) == ()

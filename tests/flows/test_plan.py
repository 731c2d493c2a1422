"""What ``sim2real plan`` says, against what a run then does, from a folder that is not the repository."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli.app import invoke
from flows.plan.planner import Planner
from flows.plan.reasons import nearest
from tasks.contracts.artifact import Artifact
from tasks.store.recipe import Recipe
from tasks.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
SETS = {
    "retrain.detection": "null",
    "retrain.arms": "[real, translated(fda)]",
    "translate.translators": "[{method: fda}]",
    "output": "runs",
    "store": "kept",
}


@pytest.fixture
def folder(tmp_path: Path, write_tiny: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a pipeline, and a package that would hide what the program is made of."""
    monkeypatch.chdir(tmp_path)
    write_tiny(tmp_path)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit('the wrong tasks')")
    return tmp_path


def options(sets: dict[str, str]) -> list[str]:
    return [part for key, value in (SETS | sets).items() for part in ("--set", f"{key}={value}")]


def cached(folder: Path, **sets: str) -> dict[str, bool]:
    """Run as the script does, and say of every stage whether it was found."""
    start = "import sys; sys.path.pop(0); from flows.cli.app import main; main()"
    command = [sys.executable, "-c", start, "run", "tiny.yaml", *options(sets)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    timings = json.loads((folder / "runs" / "tiny" / "timings.json").read_text())
    return {stage: told["cached"] for stage, told in timings.items()}


def test_a_plan_agrees_with_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def planned(**sets: str) -> dict[str, dict[str, Any]]:
        assert invoke(["plan", "tiny.yaml", "--json", *options(sets)]) == 0
        return {stage["name"]: stage for stage in json.loads(capsys.readouterr().out)}

    before = planned()
    assert not (folder / "kept").exists()
    run = cached(folder)
    assert run.keys() <= before.keys()
    # The judge is the model of the arm `real`, so that the arm finds what the judge made.
    assert before["retrain segmentation real seed 0"]["state"] == "same"
    assert {stage for stage, hit in run.items() if hit} == {
        stage for stage in run if before[stage]["state"] in ("found", "same")
    }
    assert {stage["state"] for stage in planned().values()} == {"found"}

    change = {"translate.translators": "[{method: fda, beta: 0.2}]"}
    after = planned(**change)
    again = cached(folder, **change)
    assert after["translate fda"]["reasons"] == ["beta: 0.01 -> 0.2"]
    assert after["translate fda"]["seconds"] > 0
    assert after["retrain segmentation translated(fda) seed 0"]["after"] == ["audit fda"]
    assert {stage for stage, hit in again.items() if hit} == {s for s in again if after[s]["state"] == "found"}
    assert "evaluate segmentation real seed 0" in {s for s, hit in again.items() if hit}
    assert invoke(["plan", "tiny.yaml", *options(change)]) == 0
    assert f"{len(after)} stages: {len(after)} found, 0 to be built" in capsys.readouterr().out


def made(store: Store, config: dict[str, Any], code: str = "1", **inputs: Artifact) -> Artifact:
    recipe = Recipe("text", config=config, inputs=inputs, code=code)
    return store.build(recipe, lambda work: (work / "a.txt").write_text(json.dumps(config)) and None)


def test_reasons_name_what_differs_from_the_nearest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    far = made(store, {"a": 5, "b": {"c": [5, 5]}})
    near = made(store, {"a": 1, "b": {"c": [1, 2]}}, source=far)

    def reasons(config: dict[str, Any], code: str = "1", **inputs: Artifact) -> tuple[str, ...]:
        return nearest(Recipe("text", config=config, inputs=inputs, code=code), list(store.artifacts())).differences

    assert reasons({"a": 1, "b": {"c": (1, 3)}}, source=far) == ("b.c.1: 2 -> 3",)
    assert reasons({"a": 1, "b": {"c": [1]}, "d": "x"}, source=far) == ("b.c.1: 2 -> (nothing)", 'd: (nothing) -> "x"')
    assert reasons({"a": 1, "b": {"c": [1, 2]}}, source=near) == ("input source has other content",)
    assert reasons({"a": 1, "b": {"c": [1, 2]}}, "2", source=far) == ("the code changed",)
    assert reasons({"a": 5, "b": {"c": [5, 5]}}, other=far) == ("input other is new",)
    assert nearest(Recipe("other", config={}, inputs={}, code="1"), list(store.artifacts())).manifest is None


def test_the_newest_of_several_is_the_nearest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for value in (1, 2):
        made(store, {"a": value})
    manifests = [
        m.model_copy(update={"created": datetime(2026, 1, m.config["a"], tzinfo=UTC)}) for m in store.artifacts()
    ]
    found = nearest(Recipe("text", config={"a": 3}, inputs={}, code="1"), manifests)
    assert found.differences == ("a: 2 -> 3",)


def test_what_is_damaged_is_built_again(tmp_path: Path) -> None:
    artifact = made(Store(tmp_path), {"a": 1})
    artifact.file("a.txt").unlink()
    planner = Planner(Store(tmp_path))
    planner.plan("texts", Recipe("text", config={"a": 1}, inputs={}, code="1"))
    (stage,) = planner.stages
    assert stage.state == "build"
    assert "a.txt is missing" in stage.reasons[0]

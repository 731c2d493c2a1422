"""A run's artifacts by their stages, and how a stage is printed where files name it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.contracts.record import Result, RunRecord
from tasks.contracts.stage import Stage


def made(kind: str, key: str = "k") -> Artifact:
    return Artifact(kind=kind, key=key, digest=f"d{key}", path=Path("/store") / kind / key, seconds=1.0, cached=False)


@pytest.fixture
def record() -> RunRecord:
    result: dict[str, Any] = {"task": "detection", "arm": "real+translated(a b)", "seed": 3}
    return RunRecord(
        name="n",
        source=made("dataset", "s"),
        target=made("dataset", "t"),
        benchmark=made("dataset", "b"),
        checks=made("checks"),
        translators={"a b": made("translator")},
        translated={"a b": made("translated")},
        audits={"a b": made("audit")},
        comparison=made("comparison"),
        results=(Result(**result, model=made("model"), evaluation=made("evaluation")),),
    )


def test_every_artifact_has_a_stage_of_its_own(record: RunRecord) -> None:
    assert {str(stage): artifact.kind for stage, artifact in record.artifacts().items()} == {
        "dataset source": "dataset",
        "dataset target": "dataset",
        "dataset benchmark": "dataset",
        "check data sets": "checks",
        "train translator a b": "translator",
        "translate a b": "translated",
        "audit a b": "audit",
        "retrain detection real+translated(a b) seed 3": "model",
        "evaluate detection real+translated(a b) seed 3": "evaluation",
        "compare arms": "comparison",
    }
    assert record.artifacts()[Stage(kind="dataset", role="target")] == record.target


def test_a_stage_is_read_back(record: RunRecord) -> None:
    for stage in record.artifacts():
        assert Stage.model_validate_json(stage.model_dump_json()) == stage
    cell = Stage(kind="retrain", task="detection", arm=Arm("real"), seed=0)
    assert isinstance(Stage.model_validate_json(cell.model_dump_json()).arm, Arm)

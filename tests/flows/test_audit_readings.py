"""A judge that fails, or one of its readings, is told like any other model, and ends nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import audit
from flows.config import PipelineConfig
from flows.smoke import SMOKE
from tasks.contracts.artifact import Artifact
from tasks.settings.loading import load
from tasks.store.store import Store


@dataclass
class Future:
    """What Prefect gives of a task that has ended."""

    outcome: Any

    def result(self, raise_on_failure: bool = True) -> Any:
        if raise_on_failure and isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def artifact(name: str) -> Artifact:
    return Artifact(kind="evaluation", key=name, digest=name, path=Path(name), seconds=0, cached=False)


def read(monkeypatch: pytest.MonkeyPatch, broken: Collection[str]) -> tuple[set[tuple[str, str]], list[str]]:
    """Let judges read where these fail, named as ``detection`` or ``detection cut``; what was read, and what failed."""

    def future(name: str) -> Future:
        return Future(RuntimeError("no memory") if name in broken else artifact(name))

    def train(task: str, *_: Any) -> Future:
        return future(task)

    def score(task: str, _arm: str, _seed: int, _model: Any, images: Artifact, *_: Any) -> Future:
        return future(f"{task} {images.key}")

    table = SimpleNamespace(labelled=lambda _: [1])
    monkeypatch.setattr(audit, "SampleTable", SimpleNamespace(read=lambda _: table))
    monkeypatch.setattr(audit, "weighted", lambda retrain, _: retrain)
    monkeypatch.setattr(audit, "train_model", SimpleNamespace(submit=train))
    monkeypatch.setattr(audit, "evaluate_model", SimpleNamespace(submit=score))
    settings = load(
        SMOKE, PipelineConfig, ["translate.translators=[{method: fda}, {method: reinhard}]", "retrain.arms=[real]"]
    )
    sets = {role: artifact(role) for role in ("source", "target", "benchmark")}
    translated = {name: artifact(name) for name in ("fda", "reinhard")}
    found, failures = audit._readings(settings, sets, translated, Store(Path("none")))
    assert all((f.arm, f.seed) == ("real", settings.audit.seed) for f in failures)  # type: ignore[union-attr]
    return set(found), [f"{f.task}: {f.error}" for f in failures]


def test_all_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found, failures = read(monkeypatch, ())
    assert (len(found), failures) == (5 + 3, [])


def test_a_failed_reading_costs_that_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    found, failures = read(monkeypatch, {"segmentation fda"})
    assert failures == ["segmentation: as the audit's judge of fda: RuntimeError: no memory"]
    assert len(found) == 5 + 3 - 1
    assert ("segmentation", "reinhard") in found


def test_a_failed_judge_costs_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    found, failures = read(monkeypatch, {"detection"})
    assert failures == ["detection: as the audit's judge: RuntimeError: no memory"]
    assert {task for task, _ in found} == {"segmentation"}

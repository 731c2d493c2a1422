"""Reports of runs and nights with made-up scores, as ``report.json`` holds them: what history and compare are fed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.contracts.task import Task
from tasks.report.model import (
    Cell,
    Column,
    DatasetRow,
    Node,
    Provenance,
    Report,
    Row,
    ScoreRef,
    TaskTable,
    TranslatorRow,
)
from tasks.report.words import METRICS, arm_label, translator_of
from tasks.store.files import write_json

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ARMS = {"real": 40.0, "source": 20.0, "translated(cut)": 24.0}
CONFIG: dict[str, Any] = {
    "name": "trial",
    "translate": {"translators": [{"name": "cut", "method": "cut", "training": {"iterations": 100}}]},
    "retrain": {"arms": ["real", "source"], "seeds": [0]},
    "evaluate": {"classes": "benchmark", "resamples": 400, "margin": 0.005},
    "report": {"language": "en"},
}


def report(
    day: float = 0,
    arms: Mapping[str, float] = ARMS,
    *,
    flow: str = "augment",
    half: float | None = 1.0,
    classes: Mapping[str, float] | None = None,
    class_half: float | None = 2.0,
    tasks: Sequence[Task] = ("segmentation",),
    models: str = "m",
    benchmark: str = "b1",
    seeds: Sequence[int] = (0,),
    config: Mapping[str, Any] = CONFIG,
    left_out: Sequence[str] = (),
    **changes: Any,
) -> Report:
    """A report with every metric of an arm at its score and ``half`` points to either side.

    Args:
        day: when it finished, in days from ``START``.
        arms: arm -> score in points. classes: class -> what an arm's score differs by in it.
        models: of one text, the models are the same. benchmark: digest of its content.
        left_out: classes that do not count in the means.
    """
    classes = {"road": 10.0, "sky": 0.0} if classes is None else classes
    base = arms.get("source")
    found: list[TaskTable] = []
    for task in tasks:
        columns = [Column(name=m, is_class=False) for m in METRICS[task]]
        columns += [Column(name=c, is_class=True, counts=c not in left_out) for c in classes]
        halves = [half] * len(METRICS[task]) + [class_half] * len(classes)
        rows = []
        for arm, score in arms.items():
            values = [*(score for _ in METRICS[task]), *(score + more for more in classes.values())]
            against = None if base is None or arm == "source" else score - base
            cells = [_cell(v, h, against, seeds) for v, h in zip(values, halves, strict=True)]
            role = {"source": "baseline", "real": "oracle"}.get(arm, "other")
            made = {"arm": arm, "label": arm_label(arm), "role": role, "seeds": tuple(seeds), "train_images": 96}
            rows.append(Row(**made, cells=tuple(cells)))
        content = {"protocol": (), "notes": (), "curves": (), "margin": 0.5}
        found.append(TaskTable(task=task, columns=tuple(columns), rows=tuple(rows), **content))
    fields: dict[str, Any] = {
        "title": "Trial",
        "name": "trial",
        "flow": flow,
        "config": dict(config),
        "finished": START + timedelta(days=day),
        "verdicts": (),
        "failures": (),
        "problems": (),
        "tables": tuple(found),
        "galleries": (),
        "datasets": tuple(_dataset(role, benchmark) for role in ("source", "target", "benchmark")),
        "translators": tuple(_translator(n) for arm in arms if (n := translator_of(arm))),
        "costs": (),
        "total_seconds": 1.0,
        "provenance": provenance(tasks, arms, seeds, models, f"{models} {day}"),
    }
    return Report(**{**fields, **changes})


def _cell(value: float, half: float | None, delta: float | None, seeds: Sequence[int]) -> Cell:
    ends = {} if half is None else {"low": value - half, "high": value + half}
    there = half is not None and delta is not None
    compared = {"delta_low": (delta or 0) - (half or 0), "delta_high": (delta or 0) + (half or 0)} if there else {}
    return Cell(value=value, seeds=dict.fromkeys(seeds, value), delta=delta, **ends, **compared)


def _dataset(role: Any, benchmark: str) -> DatasetRow:
    digest = benchmark if role == "benchmark" else f"{role} content"
    counts = {"images": 48, "boxes": {"car": 90}, "rejected": 1, "first_rejected": ()}
    return DatasetRow(role=role, dataset=f"{role} set", split="val", key=f"key {role}", digest=digest, **counts)


def _translator(name: str) -> TranslatorRow:
    speed = {"train_seconds": 60.0, "images": 96, "images_per_second": 12.5}
    return TranslatorRow(name=name, method="cut", iterations=100, parameters=1000, **speed)


def provenance(
    tasks: Sequence[Task], arms: Mapping[str, float], seeds: Sequence[int], models: str, evaluated: str
) -> Provenance:
    """Evaluations and models of every arm; those of the same text are the same."""
    scores, nodes = [], {}
    for task in tasks:
        for arm, score in arms.items():
            for seed in seeds:
                which = f"{task} {arm} {seed}"
                evaluation, model = f"evaluation/{evaluated} {which}", f"model/{models} {which}"
                metric = METRICS[task][0]
                scores.append(
                    ScoreRef(task=task, arm=arm, seed=seed, metric=metric, value=score, evaluation=evaluation)
                )
                inputs = {"model": model, "benchmark": "dataset/b"}
                nodes[evaluation] = Node(kind="evaluation", key=evaluation, digest=evaluation, code="e1", inputs=inputs)
                nodes[model] = Node(kind="model", key=model, digest=f"digest of {model}", code="m1", environment=0)
    environments = ({"git": "abc", "python": "3.12.1", "packages": {"torch": "2.11.0", "numpy": "2.3.0"}},)
    return Provenance(scores=tuple(scores), nodes=nodes, environments=environments)


def written(found: Report, path: Path) -> Path:
    """Write a ``report.json``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found.to_json())
    return path

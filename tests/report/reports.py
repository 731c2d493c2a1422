"""Reports of runs and nights with made-up scores, as ``report.json`` holds them: what history and compare are fed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.contracts.arm import Arm
from tasks.contracts.task import TASKS, Task
from tasks.report.lineage import Node, Provenance, ScoreRef
from tasks.report.model import DatasetRow, Report, TranslatorRow
from tasks.report.score_table import Cell, Column, Row, TaskTable
from tasks.report.words import arm_label
from tasks.store.digest import content_digest
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
        columns = [Column(name=m, is_class=False) for m in TASKS[task].metrics]
        columns += [Column(name=c, is_class=True, counts=c not in left_out) for c in classes]
        halves = [half] * len(TASKS[task].metrics) + [class_half] * len(classes)
        rows = []
        for arm, score in arms.items():
            values = [*(score for _ in TASKS[task].metrics), *(score + more for more in classes.values())]
            against = None if base is None or arm == "source" else score - base
            cells = [_cell(v, h, against, seeds) for v, h in zip(values, halves, strict=True)]
            role = {"source": "baseline", "real": "oracle"}.get(arm, "other")
            made = {"arm": arm, "label": arm_label(Arm(arm)), "role": role, "seeds": tuple(seeds), "train_images": 96}
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
        "translators": tuple(_translator(n) for arm in arms if (n := Arm(arm).translator)),
        "costs": (),
        "total_seconds": 1.0,
        "provenance": provenance(tasks, arms, seeds, models, f"{models} {day}", config, benchmark),
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
    tasks: Sequence[Task],
    arms: Mapping[str, float],
    seeds: Sequence[int],
    models: str,
    evaluated: str,
    config: Mapping[str, Any],
    benchmark: str,
) -> Provenance:
    """The artifacts of every arm, with the slices of ``config`` in their keys; models of one text are the same."""
    nodes = {f"dataset/key {role}": _set(role, config, benchmark) for role in ("source", "target", "benchmark")}
    scores = []
    for task, (arm, score), seed in itertools.product(tasks, arms.items(), seeds):
        which = f"{task} {arm} {seed}"
        images = [_images(part, config, nodes) for part in Arm(arm).parts]
        slice_ = {"task": task, "training": _training(config, task), "seed": seed}
        inputs = {f"images{i}": name for i, name in enumerate(images)}
        model = _add(nodes, "model", f"{models} {which}", f"digest of {models} {which}", slice_, inputs)
        inputs = {"model": model, "benchmark": "dataset/key benchmark"}
        slice_ = {"task": task, "occasion": evaluated, "left_out": []}
        evaluation = _add(nodes, "evaluation", f"{evaluated} {which}", f"{evaluated} {which}", slice_, inputs)
        metric = TASKS[task].metrics[0]
        scores.append(ScoreRef(task=task, arm=arm, seed=seed, metric=metric, value=score, evaluation=evaluation))
    if not config:
        nodes = {name: node.model_copy(update={"config": None}) for name, node in nodes.items()}
    versions = {"torch": "2.11.0", "numpy": "2.3.0", "prefect": "3.8.1"}
    environments = ({"git": "abc", "python": "3.12.1", "cores": 8, "packages": versions},)
    return Provenance(scores=tuple(scores), nodes=nodes, environments=environments)


def _add(
    nodes: dict[str, Node], kind: str, key: str, digest: str, slice_: dict[str, Any], inputs: dict[str, str]
) -> str:
    nodes[f"{kind}/{key}"] = Node(
        kind=kind,
        key=key,
        digest=digest,
        config=slice_,
        code=f"{kind[0]}1",
        environment=0,
        device="cpu",
        inputs=inputs,
    )
    return f"{kind}/{key}"


def _set(role: str, config: Mapping[str, Any], benchmark: str) -> Node:
    section = config.get("datasets", {})
    slice_ = {"dataset": section.get(role, {}), "taxonomy": {"name": section.get("taxonomy", "street")}}
    digest = benchmark if role == "benchmark" else f"{role} of {content_digest(slice_)}"
    return Node(kind="dataset", key=f"key {role}", digest=digest, config=slice_, code="d1", environment=0)


def _images(part: Arm, config: Mapping[str, Any], nodes: dict[str, Node]) -> str:
    """What a part of an arm is trained on; where the audit drops images, the audit."""
    name = part.translator
    if name is None:
        return f"dataset/key {'target' if part == 'real' else 'source'}"
    found = [t for t in config.get("translate", {}).get("translators", ()) if t["name"] == name]
    slice_ = {k: v for k, v in (found or [{}])[0].items() if k != "name"}
    slice_["training"] = {k: v for k, v in slice_.get("training", {}).items() if k not in ("gpus", "sample_every")}
    sets = {"source": "dataset/key source", "target": "dataset/key target"}
    made = content_digest([name, slice_, *(nodes[s].digest for s in sets.values())])
    translator = _add(nodes, "translator", made, made, slice_, sets)
    inputs = {"source": sets["source"], "translator": translator}
    translated = _add(nodes, "translated", made, made, {"method": slice_.get("method")}, inputs)
    audit = config.get("audit", {})
    if audit.get("on_fail") != "drop":
        return translated
    judged = content_digest([made, audit])
    return _add(nodes, "audit", judged, judged, {"name": name, **audit}, {"translated": translated, **sets})


def _training(config: Mapping[str, Any], task: Task) -> dict[str, Any]:
    section = config.get("retrain", {}).get(task, {})
    beside = ("config", "overrides", "init", "log_every")
    rest = {k: v for k, v in section.items() if k not in beside}
    network = [section.get("config", "net"), content_digest(section.get("overrides", {}))]
    return {**rest, "config": network, "init": section.get("init", {}).get("sha256")}


def written(found: Report, path: Path) -> Path:
    """Write a ``report.json``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found.to_json())
    return path

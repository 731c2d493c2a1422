"""The nightly re-evaluation: a finished run's models, scored anew on today's benchmark; nothing is trained."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture
from pydantic import BaseModel, ConfigDict

from flows.config import PipelineConfig, ReevaluateConfig, overridden
from flows.matrix import compared, error_of, runner
from flows.progress import advance, progress_shown
from flows.publish import RECORD, IncompleteRun, publish
from tasks.contracts import TASKS, Arm, Artifact, Failure, Result, RunRecord, Scores, Task
from tasks.datasets.stage import check, read
from tasks.evaluate.stage import evaluate_model
from tasks.report.stage import write_report
from tasks.settings import ConfigError
from tasks.store import Store, damage, damage_error, write_json

log = logging.getLogger(__name__)
_TOLERANCE = 1e-3  # of a score from 0 to 1: what inference on a GPU may differ by from run to run


class Rescored(BaseModel):
    """A model's main score in the run that trained it, and tonight; fractions from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    task: Task
    arm: Arm
    seed: int
    metric: str
    before: float | None
    after: float | None


class ScoresDrifted(Exception):
    """The same model has another score on the same benchmark: the software or the machine has changed."""


@flow(name="reevaluate")
def reevaluate(
    config: PipelineConfig | Path,
    overrides: dict[str, Any] = {},  # noqa: B006 - never changed
    night: date | None = None,
) -> RunRecord:
    """Score the models of the pipeline's last run on the benchmark as it is now.

    The results go to ``<run>/nightly/<date>/``: the report, and ``changes.json`` with every score before and after.

    Args:
        config: the pipeline's configuration, or the YAML file it is in.
        overrides: changes to it by dotted key.
        night: the date that the results are filed under; today by default. A second run of one night resumes it.

    Raises:
        ConfigError: the pipeline has no finished run.
        IncompleteRun: a model is damaged or gone, or could not be scored.
        ScoresDrifted: model and benchmark are unchanged, but a score is not.
    """
    settings = overridden(config, overrides, ReevaluateConfig)
    before = last_run(settings)
    occasion = (night or date.today()).isoformat()
    with progress_shown(f"{settings.name} {occasion}", 4 + len(before.results)):
        return _reevaluate(settings, before, occasion)


def _reevaluate(settings: PipelineConfig, before: RunRecord, occasion: str) -> RunRecord:
    store = Store(settings.store, settings.model_dump(mode="json"))
    benchmark = read("benchmark", settings.datasets.benchmark, settings.datasets, store)
    advance("benchmark read")
    sets = {"source": before.source, "target": before.target, "benchmark": benchmark}
    needed = {"benchmark": settings.labels_needed()["benchmark"]}
    checks = check(sets, settings.datasets, store, needed, settings.report.language)
    advance("data sets checked")
    results, failures = score_again.with_options(task_runner=runner(settings))(settings, before, benchmark, occasion)
    found = {
        "flow": "reevaluate",
        "benchmark": benchmark,
        "checks": checks,
        "results": results,
        "failures": failures,
        "comparison": compared(settings, results, store),
    }
    after = before.model_copy(update=found)
    advance("arms compared")
    folder = settings.folder / "nightly" / occasion
    publish(settings, after, write_report(settings.report, after, store), folder)
    advance("report written")
    changes = compare(before, after)
    write_json(folder / "changes.json", [c.model_dump() for c in changes])
    if failures:
        raise IncompleteRun(failures)
    if benchmark.digest == before.benchmark.digest and (moved := [c for c in changes if _drifted(c)]):
        raise ScoresDrifted(
            "\n".join(f"{c.task} {c.arm} seed {c.seed}: {c.metric} {c.before} -> {c.after}" for c in moved)
        )
    return after


def last_run(settings: PipelineConfig) -> RunRecord:
    """The record of the pipeline's last run.

    Raises:
        ConfigError: there is none.
    """
    path = settings.folder / RECORD
    if not path.is_file():
        raise ConfigError(f"{path}: pipeline {settings.name!r} has no finished run; finish `sim2real run` first")
    return RunRecord.from_json(path.read_bytes(), Store(settings.store).root)


@flow(name="score-again")
def score_again(
    settings: PipelineConfig, before: RunRecord, benchmark: Artifact, occasion: str
) -> tuple[tuple[Result, ...], tuple[Failure, ...]]:
    """Evaluate every model of a run whose files are still what they were: what was scored, and what failed."""
    store = Store(settings.store, settings.model_dump(mode="json"))
    results: list[Result] = []
    failures: list[Failure] = []
    futures: dict[Result, PrefectFuture[Artifact]] = {}
    for old in before.results:
        if problems := damage(old.model.path):
            told = str(damage_error(old.model.path, problems))
            failures.append(Failure(task=old.task, arm=old.arm, seed=old.seed, error=told))
            advance(f"{old.task} {old.arm} seed {old.seed} is damaged")
            continue
        futures[old] = evaluate_model.submit(
            old.task,
            old.arm,
            old.seed,
            old.model,
            benchmark,
            settings.evaluate,
            settings.compute,
            store,
            (before.source, before.target),
            occasion,
        )
    for old, future in futures.items():
        error = error_of(future)
        advance(f"{old.task} {old.arm} seed {old.seed} scored")
        if error is not None:
            failures.append(Failure(task=old.task, arm=old.arm, seed=old.seed, error=error))
            continue
        results.append(old.model_copy(update={"evaluation": future.result()}))
    return tuple(results), tuple(failures)


def compare(before: RunRecord, after: RunRecord) -> list[Rescored]:
    """Every model's main score (mIoU or mAP) in both records."""
    old = {(r.task, r.arm, r.seed): r for r in before.results}
    return [
        Rescored(
            task=new.task,
            arm=new.arm,
            seed=new.seed,
            metric=TASKS[new.task].metrics[0],
            before=_score(old[new.task, new.arm, new.seed]),
            after=_score(new),
        )
        for new in after.results
    ]


def _score(result: Result) -> float | None:
    return Scores.read(result.evaluation.path).metrics[TASKS[result.task].metrics[0]]


def _drifted(change: Rescored) -> bool:
    if change.before is None or change.after is None:
        return change.before is not change.after
    return abs(change.before - change.after) > _TOLERANCE

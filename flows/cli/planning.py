"""``sim2real plan``: what a run would find, and what it would build and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flows.cli.options import Config, Sets
from flows.cli.status import FINE

_LISTED = 3  # stages that another waits for

if TYPE_CHECKING:
    from flows.plan.planner import PlannedStage


def plan(
    config: Config,
    /,
    *,
    sets: Sets = (),
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")] = False,
) -> int:
    """Tell every stage of a run before anything starts: found in the store, or to be built, why, and for how long.

    A stage is built anew where its part of the configuration, the content of an input or the code differs from every
    artifact in the store; how it differs from the nearest is shown, and the time that one took is the estimate.

    Example: `sim2real plan configs/pipelines/smoke.yaml --set retrain.seeds=[0,1]`
    """
    from flows.config import PipelineConfig, TrainTranslatorConfig
    from flows.plan.run import plan_run, plan_training
    from tasks.settings import load, read

    values = read(config).values
    if isinstance(values, dict) and "translator" in values:
        stages = plan_training(load(config, TrainTranslatorConfig, sets))
    else:
        stages = plan_run(load(config, PipelineConfig, sets))
    if as_json:
        print(json.dumps([s.model_dump(mode="json") for s in stages], indent=2))
    else:
        _print(stages)
    return FINE


def _print(stages: Sequence[PlannedStage]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("stage", "state", "why", "about", box=None, pad_edge=False)
    for stage in stages:
        table.add_row(
            escape(stage.name),
            stage.state,
            escape(_why(stage)),
            _time(stage.seconds) if stage.state in ("build", "after") else "",
        )
    Console().print(table)
    print(_summary(stages))


def _why(stage: PlannedStage) -> str:
    lines = list(stage.reasons)
    if stage.after:
        first, more = ", ".join(stage.after[:_LISTED]), len(stage.after) - _LISTED
        told = "what it makes is that of" if stage.state == "same" else "depends on"
        lines.append(f"{told} {first}" + (f" and {more} more" if more > 0 else ""))
    return "\n".join(lines)


def _summary(stages: Sequence[PlannedStage]) -> str:
    counts = Counter(s.state for s in stages)
    work = [s.seconds for s in stages if s.state in ("build", "after")]
    known = [seconds for seconds in work if seconds is not None]
    parts = [f"{len(stages)} stages: {counts['found']} found, {counts['build']} to be built"]
    if counts["after"]:
        parts.append(f"{counts['after']} after these")
    if known:
        parts.append(f"about {_time(sum(known))} of work")
    if len(known) < len(work):
        parts.append(f"{len(work) - len(known)} never timed here")
    return ", ".join(parts)


def _time(seconds: float | None) -> str:
    """In one unit, such as ``3 min``; a question mark where it is not known."""
    if seconds is None:
        return "?"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"

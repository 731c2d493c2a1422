"""``sim2real run``, ``smoke``, ``audit``, ``train``, ``reevaluate``: the flows.

A flow runs in a process of its own that is tied to this one, so that its temporary Prefect server never outlives it,
and this one, which only waits, needs neither Prefect nor torch.
"""

from __future__ import annotations

import importlib
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from flows import SMOKE
from flows.cli.options import Config, Sets
from flows.cli.status import FAILED, FINE, STOPPED, status_of


def run(config: Config, /, *, sets: Sets = ()) -> int:
    """Run the whole chain: read, check, translate, audit, retrain, evaluate, compare, report.

    What the store has is not made again: the same command after an interruption goes on where it was.

    Example: `sim2real run configs/pipelines/morai2cityscapes.yaml --set retrain.seeds=[0,1,2]`
    """
    return _flow("run", "augment", config, sets)


def smoke(config: Config = SMOKE, /, *, sets: Sets = ()) -> int:
    """Run the whole chain on the embedded sample, or on a few images and iterations of another pipeline.

    Example: `sim2real smoke configs/pipelines/morai2cityscapes.yaml`
    """
    return _flow("smoke", "smoke", config, sets)


def audit(config: Config, /, *, sets: Sets = ()) -> int:
    """Translate and audit, without retraining; `run` then finds all of it finished.

    Example: `sim2real audit configs/pipelines/smoke.yaml --set audit.on_fail=stop`
    """
    return _flow("audit", "audit", config, sets)


def train(config: Config, /, *, sets: Sets = ()) -> int:
    """Train one translator; a pipeline with the same settings finds it finished.

    Example: `sim2real train configs/translators/cut-smoke.yaml --set translator.training.iterations=100`
    """
    return _flow("train", "train_translator", config, sets)


def reevaluate(
    config: Config,
    /,
    *,
    sets: Sets = (),
    night: Annotated[
        str | None, Parameter(help="The date, as 2026-01-31, that results are filed under; today's if absent.")
    ] = None,
) -> int:
    """Score the last run's models again on the benchmark as it is now; nothing is trained.

    Example: `sim2real reevaluate configs/pipelines/smoke.yaml`
    """
    more = {} if night is None else {"night": _date(night)}
    return _flow("reevaluate", "reevaluate", config, sets, **more)


def _date(text: str) -> date:
    from tasks.settings import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--night {text}: write a date as 2026-01-31") from None


def _flow(command: str, name: str, config: Path, sets: tuple[str, ...], **more: Any) -> int:
    from tasks.compute import die_with_parent, supervise, supervised
    from tasks.settings import load, parse_sets

    if supervised():
        die_with_parent()
        return _run(name, config, parse_sets(sets), **more)
    from flows.config import PipelineConfig, ReevaluateConfig, TrainTranslatorConfig
    from tasks.datasets import RunConfig
    from tasks.translate import OutsideCommand, told_program

    models: dict[str, type[RunConfig]] = {"train_translator": TrainTranslatorConfig, "reevaluate": ReevaluateConfig}
    settings = load(config, models.get(name, PipelineConfig), sets)
    if isinstance(settings, PipelineConfig) and name != "reevaluate":
        for translator in settings.translate.translators:
            if isinstance(translator, OutsideCommand):
                print(told_program(translator), flush=True)
    options = [part for text in sets for part in ("--set", text)]
    options += [part for key, value in more.items() for part in (f"--{key}", str(value))]
    status = supervise(["-m", "flows", command, str(config), *options])
    if status in STOPPED:
        print("stopped; the same command goes on where it was", file=sys.stderr)
    return status


def _run(name: str, config: Path, overrides: dict[str, Any], **more: Any) -> int:
    """Run a flow, with a temporary Prefect server unless PREFECT_API_URL names one; each flow's module has its name."""
    try:
        getattr(importlib.import_module(f"flows.{name}"), name)(config, overrides, **more)
    except Exception as error:  # noqa: BLE001 - Prefect has logged the traceback; the last line is for people
        status = status_of(error)
        print(f"\n{error if status is not None else f'{type(error).__name__}: {error}'}", file=sys.stderr)
        return FAILED if status is None else status
    return FINE

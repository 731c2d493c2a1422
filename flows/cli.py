"""What ``python -m flows.<name> CONFIG`` has in common, without Prefect: the supervising process does not need it."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import NoReturn

from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.compute import die_with_parent, supervise, supervised
from tasks.settings import ConfigError, load, parse_sets


def main(module: str, default: Path | None = None) -> NoReturn:
    """Parse the command line and run a flow, with a temporary Prefect server unless PREFECT_API_URL names one.

    Args:
        module: the flow's module; the flow has the same name.
        default: the configuration where none is given; without it, one is required.

    Exits with 0; with 1 when the flow failed; with 2 when the configuration is wrong.
    """
    name = module.rpartition(".")[2]
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=sys.modules["__main__"].__doc__)
    parser.add_argument("config", type=Path, nargs="?" if default else None, default=default, help="YAML file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="sets",
        help="override a value, such as retrain.detection.iterations=50; may be given again",
    )
    options = parser.parse_args()
    try:
        overrides = parse_sets(options.sets)
        load(options.config, TrainTranslatorConfig if name == "train_translator" else PipelineConfig, options.sets)
    except ConfigError as error:
        print(f"configuration error\n{error}", file=sys.stderr)
        sys.exit(2)
    if not supervised():  # the flow runs in a process of its own, so that its temporary server never outlives it
        sys.exit(supervise(["-m", module, *sys.argv[1:]]))
    die_with_parent()
    try:
        # Not the one of __main__: Prefect could not import it.
        getattr(importlib.import_module(module), name)(options.config, overrides)
    except Exception as error:  # noqa: BLE001 - Prefect has logged the traceback; the last line is for people
        print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)

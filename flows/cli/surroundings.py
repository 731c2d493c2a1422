"""``sim2real version``: what this is, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flows.cli.options import Sets
from flows.cli.status import FAILED, FINE


def version() -> int:
    """Print the versions of this program, its commit, Python and torch.

    Example: `sim2real version`
    """
    print(version_text())
    return FINE


def version_text() -> str:
    """Version, commit, Python and torch in one line."""
    import tomllib

    from tasks.settings import REPOSITORY
    from tasks.store import describe_environment

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = describe_environment()
    commit = told["git"] or "no git checkout"
    return f"sim2real {project['version']} ({commit}), Python {told['python']}, torch {told['packages']['torch']}"


def doctor(
    config: Annotated[Path | None, Parameter(help="A pipeline's YAML file, to tell what it would need.")] = None,
    /,
    *,
    sets: Sets = (),
) -> int:
    """Tell what is installed and free on this machine; status 1 where something would stop a run.

    With CONFIG, also what it would need: the disk for translated images and models, and the files of weights.

    Example: `sim2real doctor configs/pipelines/smoke.yaml`
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from flows.config import PipelineConfig
    from flows.doctor import machine, needs
    from tasks.settings import load

    settings = None if config is None else load(config, PipelineConfig, sets)
    places = (Path(".store"), Path("runs")) if settings is None else (settings.store, settings.output)
    lines = [*machine(*places), *(needs(settings) if settings else ())]
    table = Table(box=None, show_header=False, pad_edge=False)
    for line in lines:
        table.add_row("[red]wrong[/]" if line.wrong else "[green]ok[/]", line.what, escape(line.found))
    Console().print(table)
    return FAILED if any(line.wrong for line in lines) else FINE

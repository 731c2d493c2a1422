"""``sim2real data``: look at data sets before anything is trained on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from flows.cli.options import ROLES, Config, Role, Roles, Sets, Texts
from flows.cli.status import CONFIGURATION, FINE

if TYPE_CHECKING:
    from tasks.contracts import Artifact
    from tasks.datasets import RunConfig
    from tasks.store import Store

_Layout = Literal["coco", "cityscapes", "yolo"]
app = App(name="data", help="Look at a configuration's data sets before anything is trained on them.")


@app.command
def check(config: Config, /, *, sets: Sets = (), role: Roles = (), language: Texts = None) -> int:
    """Check the data sets, as a table and as a page with examples; status 2 where one is not fit to be trained on.

    Example: `sim2real data check configs/pipelines/smoke.yaml`
    """
    from flows.config import checked
    from tasks.catalogue import speaking
    from tasks.datasets import CHECKS_PAGE, build_checks, print_checks, read_checks

    settings, store = _opened(config, sets)
    needed, configured = checked(settings)
    with speaking(language or configured or "en"):
        artifact = build_checks(_read(settings, role, store), settings.datasets, store, needed)
        checks = read_checks(artifact)
        print_checks(checks)
    print(f"page: {artifact.file(CHECKS_PAGE)}")
    return CONFIGURATION if any(c.severity == "error" and not c.passed for c in checks) else FINE


@app.command
def show(
    config: Config,
    /,
    *,
    sets: Sets = (),
    role: Roles = (),
    images: Annotated[int, Parameter(help="Pictures in the contact sheet.")] = 12,
    language: Texts = None,
) -> int:
    """Show counts, classes, boxes, spatial priors and a contact sheet, as a page and at the terminal.

    Example: `sim2real data show configs/pipelines/smoke.yaml --role source`
    """
    from flows.config import checked
    from tasks.catalogue import speaking, t
    from tasks.datasets import SampleTable, overview_of, print_overview, read_counts, write_overview

    settings, store = _opened(config, sets)
    path = settings.folder / "datasets.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    with speaking(language or checked(settings)[1] or "en"):
        found = [
            overview_of(SampleTable.read(a.path), name, images=images, counts=read_counts(a))
            for name, a in _read(settings, role, store).items()
        ]
        print_overview(found)
        write_overview(path, found, t("overview.title", name=settings.name))
    print(f"page: {path}")
    return FINE


@app.command
def export(
    config: Annotated[Path, Parameter(help="The YAML file, or the folder of a sample table.")],
    /,
    *,
    format: Annotated[_Layout, Parameter(help="The layout to write.")],
    to: Annotated[Path, Parameter(help="The folder to write, which must not exist.")],
    sets: Sets = (),
    role: Roles = (),
    link: Annotated[bool, Parameter(negative="", help="Hard links instead of copies where possible.")] = False,
    language: Texts = None,
) -> int:
    """Write a data set for those who train elsewhere.

    Example: `sim2real data export configs/pipelines/smoke.yaml --role source --format coco --to exported`
    """
    from flows.config import checked
    from tasks.catalogue import speaking
    from tasks.datasets import SampleTable, export_table

    if config.is_dir():
        with speaking(language or "en"):
            print(_exported(config, to, format, link))
        return FINE
    settings, store = _opened(config, sets)
    tables = {name: SampleTable.read(a.path) for name, a in _read(settings, role, store).items()}
    with speaking(language or checked(settings)[1] or "en"):
        for name, table in tables.items():
            print(export_table(table, to / name if len(tables) > 1 else to, format, link=link))
    return FINE


def _exported(folder: Path, to: Path, layout: _Layout, link: bool) -> str:
    """Export the table of a folder, which may be anybody's: whatever is wrong with it is told in a line."""
    from tasks.contracts import Finding
    from tasks.datasets import DatasetError, SampleTable, export_table

    try:
        return str(export_table(SampleTable.read(folder), to, layout, link=link))
    except (OSError, ValueError, LookupError) as error:
        problem = " ".join(str(error).split())
        raise DatasetError(Finding.of("data.no_table", problem=problem), folder) from error


def _opened(config: Path, sets: Sequence[str]) -> tuple[RunConfig, Store]:
    """A configuration, of which only the data sets count and what a whole pipeline needs of them, and its store."""
    from flows.config import DataConfig, PipelineData
    from tasks.settings import ConfigError, load
    from tasks.store import Store

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: RunConfig
    try:
        settings = load(config, PipelineData, sets)
    except ConfigError:  # no pipeline, or one that is wrong elsewhere
        settings = load(config, DataConfig, sets)
    return settings, Store(settings.store, settings.model_dump(mode="json"))


def _read(settings: RunConfig, roles: Sequence[Role], store: Store) -> dict[str, Artifact]:
    from tasks.datasets import build_dataset

    datasets = settings.datasets
    return {role: build_dataset(getattr(datasets, role), datasets, store) for role in roles or ROLES}

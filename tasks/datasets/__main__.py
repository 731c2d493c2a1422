"""``python -m tasks.datasets check|show|export``: look at data sets before anything is trained on them."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ConfigDict

from tasks.contracts import Artifact
from tasks.datasets.checks.page import print_table
from tasks.datasets.config import RunConfig
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.make_checks import CHECKS_PAGE, build_checks, read_checks
from tasks.datasets.make_dataset import build_dataset
from tasks.datasets.table import SampleTable
from tasks.datasets.taxonomy import TaxonomyError
from tasks.settings import ConfigError, load
from tasks.store import Store, StoreError

ROLES = ("source", "target", "benchmark")


class _Config(RunConfig):
    """Any run's configuration; what is not about data sets is left to the flows."""

    model_config = ConfigDict(extra="ignore")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, 1 where a check failed or a set cannot be read, 2 where the configuration is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ConfigError, TaxonomyError) as error:
        print(f"configuration error\n{error}", file=sys.stderr)
        return 2
    except (DatasetError, ItemError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks.datasets", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, text in (
        ("check", _check, "check a configuration's data sets; the page with examples is written too"),
        ("show", _show, "counts, classes, boxes, spatial priors and a contact sheet, as a page and at the terminal"),
        ("export", _export, "write a data set for those who train elsewhere"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("config", type=Path, help="YAML file" + (", or a table's folder" * (name == "export")))
        command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="sets")
        command.add_argument("--role", choices=ROLES, action="append", help="only this data set; may be given again")
        if name == "show":
            command.add_argument("--images", type=int, default=12, help="pictures in the contact sheet (12)")
        if name == "export":
            command.add_argument("--format", choices=("coco", "cityscapes", "yolo"), required=True)
            command.add_argument("--to", type=Path, required=True, help="folder to write, which must not exist")
            command.add_argument("--link", action="store_true", help="hard links instead of copies where possible")
    return parser


def _check(options: argparse.Namespace) -> int:
    config = load(options.config, _Config, options.sets)
    store = Store(config.store, config.model_dump(mode="json"))
    artifact = build_checks(_read(config, options.role, store), config.datasets, store)
    checks = read_checks(artifact)
    print_table(checks)
    print(f"page: {artifact.file(CHECKS_PAGE)}")
    return int(any(c.severity == "error" and not c.passed for c in checks))


def _show(options: argparse.Namespace) -> int:
    from tasks.datasets.overview.numbers import overview_of
    from tasks.datasets.overview.page import print_overview, write_page

    config = load(options.config, _Config, options.sets)
    store = Store(config.store, config.model_dump(mode="json"))
    sets = _read(config, options.role, store)
    found = [overview_of(SampleTable.read(a.path), role, images=options.images) for role, a in sets.items()]
    print_overview(found)
    path = config.folder / "datasets.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(path, found, f"Data sets of {config.name}")
    print(f"page: {path}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from tasks.datasets.export import export_table

    if options.config.is_dir():
        tables = {"": SampleTable.read(options.config)}
    else:
        config = load(options.config, _Config, options.sets)
        store = Store(config.store, config.model_dump(mode="json"))
        tables = {role: SampleTable.read(a.path) for role, a in _read(config, options.role, store).items()}
    for role, table in tables.items():
        to = options.to / role if len(tables) > 1 else options.to
        print(export_table(table, to, options.format, link=options.link))
    return 0


def _read(config: RunConfig, roles: Sequence[str] | None, store: Store) -> dict[str, Artifact]:
    return {role: build_dataset(getattr(config.datasets, role), config.datasets, store) for role in roles or ROLES}


if __name__ == "__main__":
    sys.exit(main())

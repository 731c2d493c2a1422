"""``python -m tasks.trends compare|history``: compare two runs; write a pipeline's trend page anew."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from tasks.catalogue import Language


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, or 2 where a path is no report or no folder."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks.trends", description=__doc__)
    commands = parser.add_subparsers(required=True)
    text = "what changed between two runs in configuration, data and code, and what that did to the scores"
    compare = commands.add_parser("compare", help=text, description=text)
    compare.set_defaults(run=_compare)
    for name, when in (("a", "before"), ("b", "after")):
        compare.add_argument(name, type=Path, help=f"{when}: a run's or a night's folder, or a report.json")
    compare.add_argument("--format", choices=("text", "md", "json"), default="text")
    compare.add_argument("--store", type=Path, default=Path(".store"), help="where the evaluations are (.store)")
    text = "write history.html anew from the reports in FOLDER/history, and print its path"
    history = commands.add_parser("history", help=text, description=text)
    history.set_defaults(run=_history)
    history.add_argument("folder", type=Path, help="a pipeline's folder, such as runs/smoke")
    for command, whose in ((compare, "B's report"), (history, "English")):
        command.add_argument("--language", choices=get_args(Language), help=f"of the texts ({whose})")
    return parser


def _compare(options: argparse.Namespace) -> int:
    from tasks.trends.comparing.build import compare_runs
    from tasks.trends.comparing.find import NotAReport
    from tasks.trends.comparing.markdown import render_markdown
    from tasks.trends.comparing.text import print_text

    try:
        found = compare_runs(options.a, options.b, options.store, options.language)
    except NotAReport as error:
        print(error, file=sys.stderr)
        return 2
    match options.format:
        case "json":
            print(found.model_dump_json(indent=2, by_alias=True))
        case "md":
            print(render_markdown(found), end="")
        case _:
            print_text(found)
    return 0


def _history(options: argparse.Namespace) -> int:
    from tasks.trends.history.archive import FOLDER
    from tasks.trends.history.page import write_history

    if not (options.folder / FOLDER).is_dir():
        print(f"{options.folder}: no archive of reports here: there is no folder {FOLDER}/", file=sys.stderr)
        return 2
    print(write_history(options.folder, options.language or "en"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The one command, ``sim2real``: its sub-commands, and what it ends with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from cyclopts import App, CycloptsError

from flows.cli import data, planning, report, running, starting, store, surroundings, translator
from flows.cli.status import CONFIGURATION, INTERRUPTED, status_of

app = App(
    name="sim2real",
    help="""Does making simulator images look real make a detector and a segmenter better on real images?

    Every CONFIG is a YAML file. Relative paths are looked up from the working directory, then in this repository,
    so that `configs/...` works anywhere; results go below the working directory, to `output` and `store`.

    Exit status: 0 fine; 1 failed; 2 a configuration or a data set is wrong; 3 a gate said no (the audit);
    4 regression (an unchanged model scores otherwise); 5 incomplete matrix; 130 interrupted.
    """,
    version=surroundings.version_text,
    help_format="markdown",
)
for command in (
    running.run,
    running.smoke,
    running.audit,
    running.train,
    running.reevaluate,
    planning.plan,
    starting.init,
):
    app.command(command)
for group in (data.app, store.app, report.app, translator.app):
    app.command(group)
app.command(surroundings.version)
app.command(surroundings.doctor)
app.register_install_completion_command(help="Install completion for this shell (bash, zsh, fish).")


def main() -> NoReturn:
    """Run the command line that this process was started with."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line; returns its exit status. Problems of known kinds are told in one line, on standard error."""
    try:
        return int(app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value") or 0)
    except CycloptsError as error:
        print(f"{error} (sim2real --help shows what there is)", file=sys.stderr)
        return CONFIGURATION
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        status = status_of(error)
        if status is None:
            raise
        print(error, file=sys.stderr)
        return status

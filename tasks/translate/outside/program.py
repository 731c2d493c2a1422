"""Running a program that translates: on a share of the machine, in a process group of its own, for so long at most."""

from __future__ import annotations

import logging
import os
import re
import shlex
import shutil
import signal
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tasks.catalogue import t
from tasks.compute import Deadline, ProcessError, leased, run_in_group
from tasks.contracts import Finding
from tasks.translate.errors import OutsideError
from tasks.translate.sections.command import OutsideCommand

log = logging.getLogger(__name__)
_SHOWN = 160  # characters of a command, and of each of a program's last lines
_LAST = 12  # lines
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # ECMA-48's sequences, such as colours


class Output:
    """What a program prints: all of it is logged, and the last lines are kept.

    A line that is to be seen while it runs begins with ``| ``: of what progress bars print, one a second.
    """

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=_LAST)
        self._seen = float("-inf")

    def __call__(self, line: str) -> None:
        """Take a line."""
        text = "".join(c for c in _CONTROL.sub("", line) if c.isprintable()).strip()
        if not text:
            return
        self.last.append(text[:_SHOWN])
        seen = (now := time.monotonic()) - self._seen >= 1
        if seen:
            self._seen = now
        log.info("%s%s", "| " if seen else "  ", text)

    def told(self) -> Finding:
        """The last lines, in one."""
        return Finding.of("outside.last_lines", lines=tuple(self.last)) if self.last else Finding.of("outside.silent")


def run(config: OutsideCommand, arguments: Sequence[str]) -> Output:
    """Run the program to its end, and leave nothing of it behind; returns what it printed.

    Raises:
        OutsideError: it cannot be started, ended with an error, or was ended for taking too long.
    """
    output, command = Output(), shown(arguments)
    program = program_of(config)
    if program is None:
        raise OutsideError(Finding.of("outside.no_program", program=config.command[0]))
    deadline = Deadline(config.name, config.timeout) if config.timeout is not None else None
    log.info("translating %s: runs %s", config.name, command)
    try:
        run_in_group(
            [str(program), *arguments[1:]],
            output,
            environment=environment(config),
            watchdog=deadline,
            alone=True,
            folder=config.place(""),
        )
    except ProcessError as error:
        raise OutsideError(_failed(config, command, error.status, output, deadline)) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise OutsideError(Finding.of("outside.not_started", command=command, problem=why)) from error
    return output


def _failed(config: OutsideCommand, command: str, status: int, output: Output, deadline: Deadline | None) -> Finding:
    if deadline is not None and deadline.ended:
        return Finding.of("outside.too_long", command=command, seconds=deadline.seconds, last=output.told())
    how = str(status) if status >= 0 else signal.Signals(-status).name
    return Finding.of("outside.failed", command=command, status=how, last=output.told())


def program_of(config: OutsideCommand) -> Path | None:
    """The file of the program, as its environment finds it; None where there is none that can be run."""
    name, path = config.command[0], environment(config).get("PATH", os.defpath)
    found = shutil.which(str(config.place(name)) if "/" in name or name.startswith("~") else name, path=path)
    return Path(found).absolute() if found is not None else None


def told_program(config: OutsideCommand) -> str:
    """Which program will be run, for people, before it is."""
    values = {"name": config.name, "program": program_of(config) or config.command[0]}
    return t("outside.runs", **values, command=shown(config.command))


def environment(config: OutsideCommand) -> dict[str, str]:
    """The program's environment: what the configuration names, and what it may compute on."""
    pairs = (text.partition("=") for text in config.environment)
    declared = {name: value if equals else os.environ.get(name) for name, equals, value in pairs}
    return {**{name: value for name, value in declared.items() if value is not None}, **leased()}


def shown(arguments: Sequence[str]) -> str:
    """A command line for people, cut where it is long."""
    text = shlex.join(arguments)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

"""Running a program in a process group of its own that never outlives the one who started it.

The child is given the read end of a pipe, the lifeline, whose write end only the parent holds. When the parent goes, in
whatever way (``kill -9`` included), the pipe ends, and the child kills its own group: data loaders, servers and all. A
child may be stopped, or be killed in the same instant: so a shell, outside of the group, waits for the end as well.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from tasks.compute import memory
from tasks.compute.watchdog import LOG, Watchdog, tell_where_it_stands

log = logging.getLogger(__name__)
_LIFELINE = "SIM2REAL_LIFELINE"
EXPLAINED = "error: "  # a worker's last line: a problem that it knows, for people
REFUSED = 2  # its exit status where the configuration or the data are wrong
_GRACE_SECONDS = 10.0
_WATCHER = ("/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$0"')  # $0 is the group; the pipe never has a line to read


class ProcessError(Exception):
    """A program ended with an error, or was ended.

    The message is what the program said of it, if its last line begins with ``EXPLAINED``, or the end of its output.

    Attributes:
        status: the exit status; negative where a signal ended it.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class RefusedError(ProcessError):
    """A program said that its configuration or its data are wrong."""


class StalledError(ProcessError):
    """A program was ended because it made no progress."""


def run_in_group(
    command: Sequence[str],
    on_line: Callable[[str], None] | None = None,
    *,
    environment: dict[str, str] | None = None,
    watchdog: Watchdog | None = None,
    alone: bool = False,
    folder: Path | None = None,
) -> None:
    """Run ``command`` to its end in a process group of its own, and leave none of that group behind.

    Args:
        command: program and arguments; a Python program should call ``die_with_parent()`` first thing.
        on_line: receives each line that it prints, as it comes.
        environment: added to this process's environment.
        watchdog: ends it, with all of its group, when it makes no progress.
        alone: for a program that is not of this repository: its environment is ``environment`` and nothing else, and
            it has nothing to read.
        folder: where it is started; where this process was, if absent.

    Raises:
        RefusedError: it said that its configuration or data are wrong.
        StalledError: it made no progress.
        ProcessError: it ended with a status other than 0.
    """
    tail: deque[str] = deque(maxlen=40)
    with lifeline(command, environment, subprocess.PIPE, alone=alone, folder=folder) as process:
        with watchdog.watching(process.pid) if watchdog else nullcontext():
            assert process.stdout is not None
            for raw in process.stdout:
                line = raw.rstrip("\n")
                tail.append(line)
                if watchdog is not None:
                    watchdog.heard()
                if on_line is not None:
                    on_line(line)
        status = process.wait()
    if watchdog is not None and watchdog.ended:
        raise StalledError(watchdog.told(), status)
    if status:
        kind = RefusedError if status == REFUSED and _explained(tail) else ProcessError
        raise kind(_why(command, status, tail), status)


def _why(command: Sequence[str], status: int, tail: Sequence[str]) -> str:
    if _explained(tail):
        return tail[-1].removeprefix(EXPLAINED)
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"{' '.join(command[:4])} {how}; its last lines:\n" + "\n".join(tail)


def _explained(tail: Sequence[str]) -> bool:
    return bool(tail) and tail[-1].startswith(EXPLAINED)


def run_worker(
    module: str,
    job: Path,
    label: str,
    shown: re.Pattern[str],
    environment: dict[str, str],
    stalled_after: float | None = None,
) -> None:
    """Run ``python -m module job`` in a process group of its own, its output going to ``log.txt`` beside the job file.

    Args:
        module: a module of this repository that calls ``die_with_parent()`` first thing.
        job: the file that tells it what to do, in the folder that it writes to.
        label: what its lines in the log begin with.
        shown: the lines that go to the log as well.
        environment: added to this process's environment.
        stalled_after: seconds without a line printed or a file written after which it is ended; None: never.

    Raises:
        RefusedError: it said that its configuration or data are wrong.
        StalledError: it made no progress.
        ProcessError: it ended with a status other than 0.
    """
    watchdog = None if stalled_after is None else Watchdog(label, job.parent, stalled_after)
    with (job.parent / LOG).open("a", encoding="utf-8") as full:

        def on_line(line: str) -> None:
            full.write(line + "\n")
            full.flush()
            if not memory.heard(line) and shown.search(line):
                log.info("%s: %s", label, line.split(" - INFO - ")[-1])

        environment = {"PYTHONUNBUFFERED": "1", **environment}
        command = [sys.executable, "-m", module, str(job)]
        run_in_group(command, on_line, environment=environment, watchdog=watchdog)


class lifeline:  # noqa: N801 - used as a context manager function
    """Start a command in its own session, tied to this process; on leaving, whatever is left of its group is killed."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str] | None,
        stdout: int | None,
        *,
        alone: bool = False,
        folder: Path | None = None,
    ) -> None:
        ours = {**os.environ, **_importable()} if not alone else {}
        reader, self._writer = os.pipe()
        try:
            self._process = subprocess.Popen(
                command,
                start_new_session=True,
                pass_fds=() if alone else (reader,),
                env={**ours, **(environment or {}), **({} if alone else {_LIFELINE: str(reader)})},
                cwd=folder,
                stdin=subprocess.DEVNULL if alone else None,
                stdout=stdout,
                stderr=None if stdout is None else subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._watcher = self._watched(reader)
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    def _watched(self, reader: int) -> subprocess.Popen[bytes] | None:
        try:
            return subprocess.Popen(
                [*_WATCHER, str(self._process.pid)],
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:  # no shell: the child itself still dies with its parent, unless it is stopped
            log.warning("%s: a stopped process may outlive this one", error)
            return None

    def __enter__(self) -> subprocess.Popen[str]:
        return self._process

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self._signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
            self._signal(signal.SIGKILL)
            self._process.wait()
        finally:
            if self._watcher is not None:
                self._watcher.kill()  # before the pipe ends: the group's number may by then be another's
                self._watcher.wait()
            os.close(self._writer)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _importable() -> dict[str, str]:
    """A Python program finds this repository's modules from any working directory, and nothing of that directory."""
    folders = filter(None, (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")))
    return {"PYTHONPATH": os.pathsep.join(folders), "PYTHONSAFEPATH": "1"}


def die_with_parent() -> None:
    """In a program started through this module: kill the own process group as soon as the parent is gone."""
    tell_where_it_stands()
    descriptor = os.environ.pop(_LIFELINE, None)
    if descriptor is None:
        return

    def watch(fd: int) -> None:
        os.read(fd, 1)  # nothing is ever written: this returns when the parent's end is closed
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, args=(int(descriptor),), daemon=True, name="lifeline").start()


def supervised() -> bool:
    """Whether this process was started through this module and has not yet called ``die_with_parent``."""
    return _LIFELINE in os.environ


def supervise(arguments: Sequence[str]) -> int:
    """Run ``python arguments...`` tied to this process and return its exit status; signals are passed on.

    Where one was, the status is 128 and its number, as shells have it, however the program then ended.

    This is how a flow started at a terminal takes its temporary Prefect server with it, even when it is killed.
    """
    with lifeline([sys.executable, *arguments], None, None) as process:
        stopped: list[int] = []

        def stop(number: int, _frame: object) -> None:
            stopped.append(number)
            process.send_signal(number)
            # Prefect waits for tasks that run in threads. What they do is resumable, so it need not be waited for.
            timer = threading.Timer(_GRACE_SECONDS, process.kill)
            timer.daemon = True
            timer.start()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        status = process.wait()
    if stopped:
        return 128 + stopped[0]
    return 128 - status if status < 0 else status

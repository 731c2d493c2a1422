"""Who holds a lock is said to who waits for it, and a dead holder's is free."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.compute.locking import Exclusive, holder

HOLD = "import sys, time, pathlib; from tasks.compute.locking import Exclusive\n"
HOLD += "with Exclusive(pathlib.Path(sys.argv[1]), 'building model 1f'): print('held', flush=True); time.sleep(60)"


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_who_waits_is_told_who_holds_it_now_and_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "a.lock"
    with held_elsewhere(path) as process:
        timer = threading.Timer(2.0, process.kill)
        timer.start()
        with Exclusive(path, "audit fda", remind=0.2):
            assert holder(path).startswith(f"process {os.getpid()} on ")
        timer.join()
    first, *more = [r.message for r in caplog.records]
    told = rf"process {process.pid} on \S+, which has held it since 20\d\d-\S+ \S+ \(building model 1f\)"
    assert re.fullmatch(rf"audit fda: waiting for {told}", first)
    assert more[0] == first


def test_a_stopped_holder_is_called_so(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path / "a.lock") as process:
        process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + 10
        while not (told := holder(tmp_path / "a.lock")).endswith("and is stopped: kill -CONT or -KILL it"):
            assert time.monotonic() < end, told


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = (Exclusive(tmp_path / "a.lock", name) for name in ("one", "two"))
    assert first.taken()
    assert not second.taken()
    assert "(one)" in holder(tmp_path / "a.lock")
    first.release()
    assert second.taken()
    second.release()
    assert {p.name for p in tmp_path.iterdir()} <= {"a.lock"}


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"pid": 1}', '{"pid": 1, "host": "a", "since": 1e99, "what": ""}']
)
def test_a_holder_that_said_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "a.lock.holder").write_text(content)
    assert holder(tmp_path / "a.lock") == f"whoever holds {tmp_path / 'a.lock'}"

"""A worker without progress is ended with its group, and named; one that makes progress in any way is not."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.compute.process import StalledError, run_worker
from tests.compute.test_process import alive, wait_for

Work = Callable[[str, float | None], Path]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Run a program as a worker, its time to stall being given; returns its log."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(p for p in sys.path if p)}")
    folder = tmp_path / "work"
    folder.mkdir()

    def run(program: str, stalled_after: float | None) -> Path:
        head = "import sys, time, pathlib, subprocess\nfolder = pathlib.Path(sys.argv[1]).parent\n"
        head += "from tasks.compute.process import die_with_parent\ndie_with_parent()\n"
        (tmp_path / "program.py").write_text(head + program)
        run_worker("program", folder / "job.json", "real seed 0", re.compile("x"), {}, stalled_after)
        return folder / "log.txt"

    return run


def test_silence_ends_the_whole_group_and_tells_where_it_stood(work: Work, tmp_path: Path) -> None:
    begun = time.monotonic()
    hangs = "def waits_for_ever():\n    time.sleep(300)\n"
    child = "p = subprocess.Popen(['sleep', '300'])\n(folder / 'pid').write_text(str(p.pid))\n"
    with pytest.raises(StalledError, match=r"^real seed 0: no line printed and no file written for 3 s.*nvidia-smi"):
        work(hangs + child + "waits_for_ever()", 3.0)
    assert 3 < time.monotonic() - begun < 60
    assert wait_for(lambda: not alive(int((tmp_path / "work" / "pid").read_text())))
    assert "in waits_for_ever" in (tmp_path / "work" / "log.txt").read_text()


def test_a_worker_that_does_not_listen_is_killed(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.compute.watchdog._GRACE_SECONDS", 0.2)
    deaf = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)\n"
    )
    with pytest.raises(StalledError):
        work(deaf + "time.sleep(300)", 1.0)


def test_lines_are_progress(work: Work) -> None:
    assert work("for k in range(18):\n    print(k, flush=True)\n    time.sleep(0.3)", 4.0).read_text().endswith("17\n")


def test_files_are_progress(work: Work) -> None:
    grows = "for k in range(18):\n    (folder / 'deep').mkdir(exist_ok=True)\n    time.sleep(0.3)\n"
    grows += "    (folder / 'deep' / 'one').write_text('x' * k)"
    assert not work(grows, 4.0).read_text()


def test_nothing_is_watched_without_a_time(work: Work) -> None:
    assert not work("time.sleep(2)", None).read_text()

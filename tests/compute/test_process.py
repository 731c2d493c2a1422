"""Process groups: they end with who started them, however that ended."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.compute.process import ProcessError, RefusedError, run_in_group

_ROOT = Path(__file__).resolve().parents[2]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state != "Z"


def wait_for(condition, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_output_is_pumped_line_by_line() -> None:
    lines: list[str] = []
    run_in_group([sys.executable, "-c", "print('one'); print('two')"], lines.append)
    assert lines == ["one", "two"]


def test_failure_shows_the_end_of_the_output() -> None:
    with pytest.raises(ProcessError, match=r"ended with status 3(.|\n)*the reason"):
        run_in_group([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"])


@pytest.mark.parametrize(("status", "kind"), [(2, RefusedError), (1, ProcessError)])
def test_what_is_wrong_with_data_is_told_from_other_failures(status: int, kind: type[ProcessError]) -> None:
    with pytest.raises(ProcessError) as told:
        run_in_group([sys.executable, "-c", f"print('error: no'); exit({status})"])
    assert (type(told.value), told.value.status) == (kind, status)
    again = pickle.loads(pickle.dumps(told.value))  # as a cluster's process hands it on
    assert (type(again), str(again), again.status) == (kind, "no", status)


def test_explained_failure_is_told_alone() -> None:
    with pytest.raises(ProcessError, match=r"^the file a\.pth is missing$"):
        run_in_group([sys.executable, "-c", "print('noise'); print('error: the file a.pth is missing'); exit(2)"])


def test_a_program_of_others_has_nothing_of_ours(tmp_path: Path) -> None:
    program = "import json, os, sys; print(json.dumps([os.getcwd(), sorted(os.environ), sys.stdin.read()]))"
    lines: list[str] = []
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    run_in_group([sys.executable, "-c", program], lines.append, environment=environment, alone=True, folder=tmp_path)
    assert json.loads(lines[0]) == [str(tmp_path), sorted(environment), ""]


def test_killed_program_is_named_by_its_signal() -> None:
    with pytest.raises(ProcessError, match="SIGKILL"):
        run_in_group([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


@pytest.mark.parametrize("alone", [False, True])
def test_nothing_of_the_group_is_left_after_an_error(tmp_path: Path, alone: bool) -> None:
    pid_file = tmp_path / "pid"
    child = "import subprocess; p = subprocess.Popen(['sleep', '300']); "
    child += f"open({str(pid_file)!r}, 'w').write(str(p.pid)); print(1)"

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_group([sys.executable, "-u", "-c", child + "; p.wait()"], stop, alone=alone)
    assert wait_for(lambda: not alive(int(pid_file.read_text())))


@pytest.mark.parametrize("what", ["parent", "parent of a stopped program", "both in one instant"])
def test_group_dies_with_a_killed_parent(tmp_path: Path, what: str) -> None:
    pids = tmp_path / "pids"
    child = (
        "import os, subprocess\n"
        "from tasks.compute.process import die_with_parent\n"
        "die_with_parent()\n"
        "p = subprocess.Popen(['sleep', '300'])\n"
        f"open({str(pids)!r} + '.tmp', 'w').write(f'{{os.getpid()}} {{p.pid}}')\n"
        f"os.rename({str(pids)!r} + '.tmp', {str(pids)!r})\n"
        "p.wait()\n"
    )
    parent = (
        f"import sys; from tasks.compute.process import run_in_group; run_in_group([sys.executable, '-c', {child!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=_ROOT)
    assert wait_for(pids.exists)
    started = [int(pid) for pid in pids.read_text().split()]
    if what == "parent of a stopped program":
        for pid in started:
            os.kill(pid, signal.SIGSTOP)
    if what == "both in one instant":
        process.send_signal(signal.SIGSTOP)  # so that it sees nothing of its program's end
        os.kill(started[0], signal.SIGKILL)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_for(lambda: not any(map(alive, started)))


def test_nothing_that_watches_is_left(tmp_path: Path) -> None:
    """Neither after a program that ended, nor after one that failed."""
    run_in_group([sys.executable, "-c", "print()"])
    with pytest.raises(ProcessError):
        run_in_group([sys.executable, "-c", "exit(1)"])
    assert children() == []


def children() -> list[str]:
    """The commands of this process's children that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rsplit(")", 1)[1].split()[1]
            command = (path.parent / "cmdline").read_text()
        except OSError:
            continue
        if int(parent) == os.getpid() and command:
            found.append(command)
    return found

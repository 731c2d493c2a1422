"""kill -9 in the middle of a translation and of a training, then the same command: it finishes what was left."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COUNT = 250


def wait_for(found: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < end, "it did not come so far in time"
        time.sleep(0.01)


def processes_of(marker: str) -> list[int]:
    """Processes other than this one whose command line or environment names ``marker``."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) == os.getpid():
                continue
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, IndexError):
            continue
        if marker.encode() in told and state != "Z":
            found.append(int(folder.name))
    return found


def gone(marker: str, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while processes_of(marker) and time.monotonic() < end:
        time.sleep(0.1)
    return not processes_of(marker)


def test_killed_run_is_finished_by_the_same_command(
    tmp_path: Path, write_tiny: Callable[..., Path], start: Callable[..., subprocess.Popen[str]]
) -> None:
    config = write_tiny(tmp_path, count=COUNT)
    marker = f"SIM2REAL_TEST={tmp_path.name}"
    sets = ["retrain.detection=null", "retrain.segmentation.iterations=40", "retrain.segmentation.checkpoint_every=5"]
    sets += ["retrain.arms=['translated(fda)']", "translate.translators=[{method: fda}]", "audit=null"]
    arguments = [config, *(part for s in sets for part in ("--set", s))]

    def run() -> subprocess.Popen[str]:
        return start("run", *arguments, SIM2REAL_TEST=tmp_path.name)

    process = run()
    images = tmp_path / "store" / "translated"
    wait_for(lambda: len(list(images.glob(".*/images/*[0-9].png"))) > 20, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert gone(marker), "something outlived the killed run: a temporary server, or a training"
    finished = {p.name: p.stat().st_mtime_ns for p in images.glob(".*/images/*.png") if "partial" not in p.name}
    assert 0 < len(finished) < COUNT, "the kill came too late to mean anything"

    process = run()
    models = tmp_path / "store" / "model"
    wait_for(lambda: len(list(models.glob(".*/iter_*[0-9].pth"))) > 1, process)
    kept = {p.name: p.stat().st_mtime_ns for p in images.glob("*/images/*.png")}
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert gone(marker)
    assert len(kept) == COUNT
    assert {name: kept[name] for name in finished} == finished, "finished images were done again"

    process = run()
    output = process.communicate(timeout=240)[0]
    assert process.returncode == 0, output[-3000:]
    (log,) = models.glob("*/log.txt")
    resumed = log.read_text().split("resuming from iter_")[1]
    done = int(resumed.split(".pth")[0])
    assert done >= 5
    assert f"Iter(train) [{done + 1:>2}/40]" in resumed
    assert f"Iter(train) [{done:>2}/40]" not in resumed
    assert (tmp_path / "runs" / "tiny" / "report" / "report.html").is_file()
    assert gone(marker)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_nothing_running(
    tmp_path: Path, write_tiny: Callable[..., Path], start: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    config = write_tiny(tmp_path)
    marker = f"SIM2REAL_TEST={tmp_path.name}"
    arguments = ("--set", "retrain.segmentation.iterations=100000")
    process = start("run", config, *arguments, SIM2REAL_TEST=tmp_path.name)
    wait_for(lambda: bool(list((tmp_path / "store").glob("model/.*/log.txt"))), process)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 128 + number
    assert "stopped; the same command goes on where it was" in output
    assert "Traceback" not in output
    assert gone(marker)


def test_configuration_error_is_told_before_anything_starts(
    tmp_path: Path, write_tiny: Callable[..., Path], start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start("run", write_tiny(tmp_path), "--set", "retrain.detection.iteration=5")
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "retrain.detection.iteration: unknown key" in output
    assert "Traceback" not in output
    assert not (tmp_path / "store").exists()

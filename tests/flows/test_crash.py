"""kill -9 in the middle of a translation and of a training, then the same command: it finishes what was left."""

import json
import os
import random
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


def contents(store: Path) -> dict[str, str]:
    """Content digests of what a run's numbers come from: kind and key -> digest."""
    manifests = (p for kind in ("dataset", "translated", "model") for p in store.glob(f"{kind}/[!.]*/artifact.json"))
    return {f"{p.parts[-3]}/{p.parts[-2]}": json.loads(p.read_text())["digest"] for p in manifests}


def flip_a_bit(store: Path, draw: random.Random) -> None:
    """Of some file of some artifact of so few files that a hit looks at each."""
    found = [json.loads(p.read_text()) for p in sorted(store.glob("*/[!.]*/artifact.json"))]
    files = [store / m["kind"] / m["key"] / f["path"] for m in found if len(m["files"]) <= 3 for f in m["files"]]
    if files := [path for path in files if path.stat().st_size]:
        path = draw.choice(files)
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_kills_damage_and_two_runs_at_once_change_no_result(
    tmp_path: Path, write_tiny: Callable[..., Path], start: Callable[..., subprocess.Popen[str]]
) -> None:
    marker, draw = f"SIM2REAL_TEST={tmp_path.name}", random.Random(os.urandom(8))
    sets = ["retrain.detection=null", "retrain.segmentation.iterations=6", "retrain.segmentation.checkpoint_every=2"]
    sets += ["retrain.arms=['translated(fda)']", "translate.translators=[{method: fda, beta: 0.05}]", "audit=null"]

    def run(name: str) -> subprocess.Popen[str]:
        (tmp_path / name).mkdir(exist_ok=True)
        config = write_tiny(tmp_path / name, count=12)
        return start("run", config, *(part for s in sets for part in ("--set", s)), SIM2REAL_TEST=tmp_path.name)

    def finished(process: subprocess.Popen[str]) -> None:
        output = process.communicate(timeout=600)[0]
        assert process.returncode == 0, output[-3000:]

    began = time.monotonic()
    finished(run("undisturbed"))
    took = time.monotonic() - began
    for _ in range(4):
        process = run("attacked")
        time.sleep(draw.uniform(0.1, 1) * took)
        process.kill()
        process.communicate()
        assert gone(marker)
        flip_a_bit(tmp_path / "attacked" / "store", draw)
    for process in [run("attacked"), run("attacked")]:
        finished(process)
    assert gone(marker)
    assert (tmp_path / "attacked" / "runs" / "tiny" / "report" / "report.html").is_file()
    assert contents(tmp_path / "attacked" / "store") == contents(tmp_path / "undisturbed" / "store")


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

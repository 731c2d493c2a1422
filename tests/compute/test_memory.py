"""Peak memory: of this process while it builds, or of the worker that did."""

import re
import sys
import time
from pathlib import Path

import pytest

from tasks.compute.memory import Peak, heard, peak_memory
from tasks.compute.process import run_worker
from tasks.store.manifest import Manifest
from tasks.store.recipe import Recipe
from tasks.store.store import Store

MB = 1_000_000


def test_this_process_is_sampled() -> None:
    with peak_memory() as peak:
        held = bytearray(300 * MB)
        held[::4096] = b"x" * len(held[::4096])  # touched, so that it is there
        time.sleep(0.5)
    assert peak.resident is not None
    assert peak.resident > 300 * MB
    assert peak.gpu is None


def test_what_a_worker_says_holds() -> None:
    with peak_memory() as peak:
        assert heard("peak memory: 5000 bytes, GPU: none")
        assert heard("peak memory: 7000 bytes, GPU: 900")
        assert heard("peak memory: 6000 bytes, GPU: 400")
        assert not heard("Iter(train) [10/20] memory: 5")
    assert peak == Peak(7000, 900, worker=True)


def test_nobody_listens() -> None:
    assert heard("peak memory: 5000 bytes, GPU: none")


def test_blocks_do_not_hear_each_other() -> None:
    with peak_memory() as outer:
        with peak_memory() as inner:
            heard("peak memory: 5000 bytes, GPU: none")
        assert inner.resident == 5000
    assert outer.resident != 5000


def test_manifest_holds_a_workers_peak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grows = "held = bytearray(400_000_000)\nheld[::4096] = b'x' * len(held[::4096])\n"
    (tmp_path / "grower.py").write_text(f"from tasks.compute import memory\n{grows}memory.tell_peak_memory()\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(p for p in sys.path if p)}")

    def make(folder: Path) -> None:
        job = folder / "job.json"
        job.write_text("{}")
        run_worker("grower", job, "grower", re.compile("peak"), {})

    artifact = Store(tmp_path / "store").build(Recipe("model", config={}, inputs={}, code="c"), make)
    found = Manifest.read(artifact.path)
    assert found.peak_memory is not None
    assert 400 * MB < found.peak_memory < 600 * MB
    assert found.peak_gpu_memory is None

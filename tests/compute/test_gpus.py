"""One model at a time on each GPU, with GPUs that are only names."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.compute import gpus

HOLD = "import sys, time, pathlib; from tasks.compute.gpus import held\n"
HOLD += "with held(['0'], pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that this machine has so many GPUs, and that CUDA_VISIBLE_DEVICES is set so."""

    def pretend(count: int, visible: str | None = None) -> None:
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)
        if visible is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return pretend


def test_usable_gpus(machine: Callable[..., None]) -> None:
    machine(3)
    assert gpus.usable() == ("0", "1", "2")
    assert gpus.usable(2) == ("0", "1")
    machine(2, "3, GPU-5c1f")
    assert gpus.usable() == ("3", "GPU-5c1f")
    machine(1, "1,7")  # CUDA has no device 7
    assert gpus.usable() == ("1",)


def test_too_few_gpus_are_told(machine: Callable[..., None]) -> None:
    machine(1)
    with pytest.raises(gpus.GpuError, match=r"compute\.gpus: 2 are asked for, and .+ has 1"):
        gpus.usable(2)
    machine(0)
    with pytest.raises(gpus.GpuError, match=r"compute\.device: .+ has no GPU"):
        gpus.usable()


def test_each_gpu_has_one_holder_and_all_are_used(tmp_path: Path) -> None:
    busy, most, lock = Counter[str](), Counter[str](), threading.Lock()
    together = 0

    def work(_: int) -> None:
        nonlocal together
        with gpus.held(("0", "1"), tmp_path, poll=0.005) as (name,):
            with lock:
                busy[name] += 1
                most[name] = max(most[name], busy[name])
                together = max(together, busy.total())
            time.sleep(0.02)
            with lock:
                busy[name] -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))
    assert most == {"0": 1, "1": 1}
    assert together == 2


def test_a_failed_model_frees_its_gpu(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), gpus.held(("0",), tmp_path):
        raise ZeroDivisionError
    with gpus.held(("0",), tmp_path) as held:
        assert held == ("0",)


def test_a_killed_process_frees_its_gpu(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with gpus.held(("0", "1"), tmp_path) as held:
            assert held == ("1",)
        killer = threading.Timer(0.3, other.kill)
        killer.start()
        with gpus.held(("0",), tmp_path, poll=0.01):
            assert other.wait(5) != 0, "the GPU was had while another process held it"


def test_several_are_held_together_or_none(tmp_path: Path) -> None:
    names = ("0", "1", "2")
    with gpus.held(names, tmp_path, 2) as both:
        assert both == ("0", "1")
        waiting = threading.Thread(target=lambda: gpus.held(names, tmp_path, 3, poll=0.005).__enter__(), daemon=True)
        waiting.start()
        time.sleep(0.05)
        with gpus.held(("2",), tmp_path, poll=0.001):  # whoever waits for three keeps none of them meanwhile
            pass
        assert waiting.is_alive()
    waiting.join(5)
    assert not waiting.is_alive()

"""Translators, translations, audits, trainings and evaluations alike hold what they compute on."""

import json
import os
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.audit.config import AuditConfig
from tasks.audit.job import Judged
from tasks.audit.make_audit import build_audit
from tasks.compute import gpus
from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Machine
from tasks.contracts.artifact import Artifact
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.make_evaluation import build_evaluation
from tasks.retrain.config import RetrainConfig
from tasks.retrain.make_model import build_model
from tasks.store.digest import file_sha256
from tasks.store.recipe import Recipe
from tasks.store.store import Store
from tasks.translate.config import Cut
from tasks.translate.make_translated import build_translated
from tasks.translate.make_translator import build_translator

CORES = os.cpu_count() or 1
Build = Callable[[Machine], Artifact]


class Begun(Exception):
    """A worker would have been started."""


class Workers:
    """In the place of workers: notes what each would have been told, and how many are at work on a GPU at once."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.environments: list[dict[str, str]] = []
        self.most = Counter[str]()
        self._now = Counter[str]()
        self._lock = threading.Lock()

    def start(self, module: str, job: Path, label: str, shown: object, environment: dict[str, str], _: object) -> None:
        held = environment["CUDA_VISIBLE_DEVICES"].split(",")
        with self._lock:
            self.jobs[module] = json.loads(job.read_text())
            self.environments.append(environment)
            self._now.update(held)
            self.most = self.most | self._now
        time.sleep(0.05)
        with self._lock:
            self._now.subtract(held)
        raise Begun


@pytest.fixture
def works(tmp_path: Path) -> dict[str, Build]:
    """Every kind of work that can use a GPU: its worker's module -> what begins it."""
    store = Store(tmp_path / "store")

    def made(kind: str) -> Artifact:
        def make(folder: Path) -> None:
            (folder / "checkpoint.pth").write_text(kind)

        return store.build(Recipe(kind, config={}, inputs={}, code="1"), make)

    sets, model = made("dataset"), made("model")
    file = model.file("checkpoint.pth")
    cut = Cut.model_validate({"method": "cut", "training": {"iterations": 1, "batch": 1}})
    given = Cut.model_validate({**cut.model_dump(), "weights": {"path": file, "sha256": file_sha256(file)}})
    audit = AuditConfig(features="efficientnet_lite0")
    network = {"config": "configs/networks/segmentation/efficientnet_lite0_fpn.py", "iterations": 1}
    retrain = RetrainConfig.model_validate({"segmentation": network})
    roles = {"source": sets, "target": sets}
    return {
        "tasks.translate.training.worker": lambda m: build_translator(cut, sets, sets, store, m),
        "tasks.translate.apply_worker": lambda m: build_translated(given, sets, sets, None, store, m),
        "tasks.audit.worker": lambda m: build_audit("cut", roles, sets, Judged(), audit, store, m),
        "tasks.retrain.worker": lambda m: build_model("segmentation", "real", 0, (sets,), retrain, store, m),
        "tasks.evaluate.worker": lambda m: build_evaluation(
            "segmentation", "real", 0, model, sets, EvaluateConfig(), store, m
        ),
    }


@pytest.fixture(autouse=True)
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that there are two GPUs and 8 cores."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def begin(works: dict[str, Build], machine: Machine) -> None:
    """Begin all work at once."""

    def one(build: Build) -> None:
        with pytest.raises(Begun):
            build(machine)

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(one, works.values()))


def test_one_gpu_is_held_by_each(works: dict[str, Build], tmp_path: Path) -> None:
    workers = Workers()
    begin(works, Machine(ComputeConfig(device="cuda", workers=2), tmp_path / gpus.FOLDER, start=workers.start))
    assert workers.jobs.keys() == works.keys()
    assert workers.most == {"0": 1, "1": 1}
    assert {job["device"] for job in workers.jobs.values()} == {"cuda"}


def test_cpu_is_obeyed_on_a_machine_with_gpus(works: dict[str, Build], tmp_path: Path) -> None:
    workers = Workers()
    begin(works, Machine(ComputeConfig(device="cpu", workers=2), tmp_path / gpus.FOLDER, start=workers.start))
    assert workers.jobs.keys() == works.keys()
    assert {job["device"] for job in workers.jobs.values()} == {"cpu"}
    assert {e["CUDA_VISIBLE_DEVICES"] for e in workers.environments} == {""}
    assert not (tmp_path / gpus.FOLDER).exists()


def test_threads_are_divided_and_this_process_keeps_its_own(works: dict[str, Build], tmp_path: Path) -> None:
    before, workers = torch.get_num_threads(), Workers()
    begin(works, Machine(ComputeConfig(device="cpu", workers=3), tmp_path / gpus.FOLDER, start=workers.start))
    assert {e["OMP_NUM_THREADS"] for e in workers.environments} == {"2"}
    assert torch.get_num_threads() == before


def test_workers_at_once_have_each_its_own_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(p for p in sys.path if p)}")
    both = "import cv2, torch\nprint(torch.get_num_threads(), cv2.getNumThreads(), torch.cuda.device_count())\n"
    (tmp_path / "counts.py").write_text(both)

    monkeypatch.setattr("os.cpu_count", lambda: 2)  # torch takes no more threads than there are cores

    def count(workers: int) -> str:
        machine = Machine(ComputeConfig(device="cpu", workers=workers), tmp_path)
        folder = tmp_path / str(workers)
        folder.mkdir()
        with machine.lease() as lease:
            machine.run(lease, "counts", folder / "job.json", "counts", re.compile("x"))
        return (folder / "log.txt").read_text().strip()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(count, (1, 2))) == [f"{min(2, CORES)} 2 0", "1 1 0"]

"""Tiny pipelines on the embedded sample, and one temporary Prefect server for all tests of flows."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

ROOT = Path(__file__).resolve().parents[2]

TINY = """
name: tiny
store: {folder}/store
output: {folder}/runs
datasets:
  taxonomy: configs/taxonomies/cityscapes19.yaml
  source: {{format: sample, side: simulated, split: train, count: {count}, width: 96, height: 64}}
  target: {{format: sample, side: real, split: train, count: 3, width: 96, height: 64}}
  benchmark: {{format: sample, side: real, split: val, count: 3, width: 96, height: 64}}
translate:
  translators:
    - {{method: reinhard}}
    - {{method: fda, beta: 0.05}}  # less changes nothing of so small images
compute: {{workers: 2, device: cpu}}
retrain:
  arms: [source, translated(fda)]
  detection:
    {{config: configs/networks/detection/efficientnet_lite0_atss.py, input_size: [96, 64],
             iterations: 2, batch: 2, log_every: 1}}
  segmentation:
    {{config: configs/networks/segmentation/efficientnet_lite0_fpn.py, input_size: [96, 64],
             iterations: 2, batch: 2, log_every: 1}}
"""


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A server of its own with an empty database."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def write_tiny() -> Callable[..., Path]:
    """Write a tiny pipeline whose store and results lie in a folder; returns the YAML file."""

    def write(folder: Path, count: int = 4) -> Path:
        path = folder / "tiny.yaml"
        path.write_text(TINY.format(folder=folder, count=count))
        return path

    return write


@pytest.fixture(scope="session")
def start() -> Callable[..., subprocess.Popen[str]]:
    """Start ``sim2real`` with arguments as a user would, its output in a pipe."""

    def run(*arguments: object, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flows", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run

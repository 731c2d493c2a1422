"""Every learned method does what it is for: closer to the real side, and what is in the picture stays readable."""

import os
from pathlib import Path

import pytest

from benchmarks.translators import Row, measure, table
from flows.config import PipelineConfig, TrainTranslatorConfig
from tasks.settings.loading import load

METHODS = ("cut", "cyclegan", "srunit", "decent", "vsait")
FAITHFUL = ("srunit", "decent", "vsait")  # whose terms are there to keep what is in the picture
ITERATIONS = 300


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    store = os.environ.get("VERIFIED_STORE") or tmp_path_factory.mktemp("store")
    settings = load(Path("configs/pipelines/smoke.yaml"), PipelineConfig, [f"store={store}"])
    change = [f"translator.training.iterations={ITERATIONS}"]
    files = [Path(f"configs/translators/{method}-smoke.yaml") for method in METHODS]
    found = measure(settings, [load(file, TrainTranslatorConfig, change).translator for file in files])
    print(table(found))
    return {row.name: row for row in found}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("method", METHODS)
def test_translations_come_closer_to_the_real_side(rows: dict[str, Row], method: str) -> None:
    assert rows[method].fd_seg < rows["source"].fd_seg
    assert rows[method].fd_colour < rows["source"].fd_colour


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("method", FAITHFUL)
def test_a_real_side_segmenter_still_reads_the_labels(rows: dict[str, Row], method: str) -> None:
    assert rows[method].accuracy > rows["source"].accuracy - 0.03

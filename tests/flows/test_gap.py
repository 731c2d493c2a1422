"""The embedded sample has a true gap: training on its real side beats training on its simulated side."""

import json
from pathlib import Path

import pytest

from flows.smoke import SMOKE, smoke


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_real_side_beats_simulated_side(tmp_path: Path) -> None:
    overrides = {
        "store": str(tmp_path / "store"),
        "output": str(tmp_path / "runs"),
        "retrain.arms": ["real", "source"],
        "retrain.detection": None,
        "translate.translators": [{"method": "identity"}],
    }
    record = smoke(SMOKE, overrides)
    scores = {
        r.arm: json.loads(r.evaluation.file("scores.json").read_text())["metrics"]["mIoU"] for r in record.results
    }
    assert scores["real"] > scores["source"] + 0.05, scores

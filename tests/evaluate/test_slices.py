"""The metric by part of the benchmark: as if the part were scored alone, and judged with all other parts."""

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.contracts.arm import Arm
from tasks.contracts.comparison import Needs, Note, Slice, TaskComparison
from tasks.contracts.task import Task
from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.evaluate.comparison import compare_arms
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.images import write_images
from tasks.evaluate.scoreboard import Scored, read_scores
from tasks.evaluate.statistics import benjamini_hochberg
from tests.evaluate.test_comparison import CUT, boxes, detected, detection, segmentation, truth_maps, wrong

IMAGES = 60
WEATHER = ["rain"] * 30 + ["clear"] * 26 + ["snow"] * 4


def told(folder: Path, extra: Sequence[dict[str, Any]], drive: int | None = None, name: str = "{:03}") -> None:
    """Write what an evaluation says of its images; a drive has so many of them."""
    info = TableInfo(dataset="streets", classes=(), detection=(), encoding=None, boxes_from=None)
    samples = [
        Sample(name.format(i), Path("/i"), None, 1, 1, "val", "", None, None, e, drive and f"drive{i // drive}")
        for i, e in enumerate(extra)
    ]
    write_images(folder, SampleTable.from_samples(samples, info, Path("/")))


def arms(folder: Path, extra: Sequence[dict[str, Any]], drive: int | None = None) -> list[Scored]:
    truth = truth_maps(IMAGES)
    better = np.array([w == "rain" for w in WEATHER])
    cut = np.where(better[:, None, None], wrong(truth, 0.1, 2), wrong(truth, 0.3, 3)).astype(np.uint8)
    results = []
    for arm, predicted in (("source", wrong(truth, 0.3, 1)), (CUT, cut)):
        results.append(Scored("segmentation", arm, 0, segmentation(folder / arm, truth, predicted)))
        told(results[-1].folder, extra, drive)
    return results


def compared(results: Sequence[Scored], **settings: Any) -> TaskComparison:
    declared: dict[Task, list[tuple[str, int]]] = {results[0].task: [(r.arm, r.seed) for r in results]}
    config = EvaluateConfig(**({"resamples": 300} | settings))
    (found,) = compare_arms(results, declared, config, Arm("source"), Arm("real")).tasks
    return found


def named(found: TaskComparison, *which: str) -> list[Slice]:
    return [s for s in found.slices if s.key in which]


def test_by_weather_the_score_is_that_of_the_part_alone(tmp_path: Path) -> None:
    extra = [{"weather": w, "frame": i, "camera": "front"} for i, w in enumerate(WEATHER)]
    found = compared(arms(tmp_path, extra))
    assert [(s.kind, s.key, s.name, s.images, s.against) for s in found.slices] == [
        ("attribute", "weather", name, n, "source") for name, n in (("clear", 26), ("rain", 30), ("snow", 4))
    ]
    clear, rain, snow = (s.scores[1] for s in found.slices)
    truth = truth_maps(IMAGES)[:30]
    alone = segmentation(tmp_path / "alone", truth, wrong(truth_maps(IMAGES), 0.1, 2)[:30])
    board = read_scores("segmentation", [Scored("segmentation", CUT, 0, alone)], 5, 0)
    assert rain.score.value == pytest.approx(board.models[CUT, 0].values[0], abs=1e-6)
    assert rain.difference is not None
    assert clear.difference is not None
    assert snow.difference is not None
    assert (rain.difference.outcome, clear.difference.outcome) == ("improves", "not decidable")
    # Four images decide nothing, however much better.
    assert (snow.difference.outcome, snow.difference.needs) == ("not decidable", Needs(kind="least", images=6))
    assert [s.scores[0].difference for s in found.slices] == [None] * 3
    known = [d.p for d in (clear.difference, rain.difference)]
    assert [clear.difference.q, rain.difference.q] == pytest.approx(benjamini_hochberg(known), abs=1e-6)
    assert not {"no_slices", "no_attributes"} & {n.code for n in found.notes}


def test_slices_that_are_named_and_none(tmp_path: Path) -> None:
    extra = [{"weather": w, "frame": i} for i, w in enumerate(WEATHER)]
    results = arms(tmp_path, extra, drive=10)
    assert {s.key for s in compared(results).slices} == {"weather", "sequence"}
    only = compared(results, slices=("sequence", "mood"))
    assert [(s.kind, s.name, s.images) for s in only.slices] == [("sequence", f"drive{i}", 10) for i in range(6)]
    assert Note(code="no_slices", names=("mood",)) in only.notes
    # Within one drive there is one drive: nothing says what another would show.
    differences = [s.scores[1].difference for s in only.slices]
    assert {d.outcome for d in differences if d} == {"not decidable"}
    assert len(compared(results, slices=("frame",)).slices) == IMAGES
    assert compared(results, slices=()).slices == ()


def test_a_benchmark_of_one_drive_is_divided_into_stretches_and_says_why(tmp_path: Path) -> None:
    found = compared(arms(tmp_path, [{"city": "one"}] * IMAGES, drive=IMAGES))
    assert [(s.kind, s.name, s.images) for s in found.slices] == [
        ("stretch", name, 15) for name in ("1-15", "16-30", "31-45", "46-60")
    ]
    assert Note(code="no_attributes", names=("streets",)) in found.notes


def test_older_evaluations_have_no_slices_of_images(tmp_path: Path) -> None:
    results = arms(tmp_path, [{}] * IMAGES)
    for result in results:
        (result.folder / "images.parquet").unlink()
    assert compared(results).slices == ()


def of_sizes(images: int) -> dict[str, Any]:
    """A small car, a medium one and a large bus an image."""
    truth = boxes(images)
    sides = {5: 20, 40: 50, 75: 120}
    for annotation in truth["annotations"]:
        side = sides[annotation["bbox"][0]]
        annotation["bbox"] = [annotation["bbox"][0] * 10, 10, side, side]
        annotation["area"] = side * side
    return truth


def test_by_box_size_it_is_cocos_ap(tmp_path: Path) -> None:
    truth = of_sizes(24)
    results = [
        Scored("detection", arm, 0, detection(tmp_path / arm, truth, detected(truth, share, shift, seed)))
        for arm, share, shift, seed in (("source", 0.7, 4, 1), (CUT, 0.9, 2, 2))
    ]
    found = compared(results)
    assert [(s.kind, s.name, s.images, s.boxes) for s in found.slices] == [
        ("size", name, 24, 24) for name in ("small", "medium", "large")
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(results[1].folder / "ground_truth.json"))
        predictions = json.loads((results[1].folder / "predictions.json").read_text())
        evaluation = COCOeval(reference, reference.loadRes(predictions), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = [s.scores[1].score.value for s in found.slices]
    assert values == pytest.approx([float(v) for v in evaluation.stats[3:6]], abs=1e-6)
    small = found.slices[0].scores[1].difference
    assert small is not None
    assert small.outcome == "improves"
    assert compared(results, slices=("weather",)).slices == ()

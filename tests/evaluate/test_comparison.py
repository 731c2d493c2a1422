"""Comparing arms whose predictions were made to be better, worse, the same, or noise."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from tasks.contracts.arm import Arm
from tasks.contracts.comparison import (
    ArmDifference,
    Clusters,
    Comparison,
    Difference,
    Needs,
    Note,
    TaskComparison,
)
from tasks.contracts.estimate import Estimate
from tasks.contracts.task import Task
from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.evaluate.comparison import compare_arms
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.detection import detection_scores
from tasks.evaluate.differences import Measured, judged_classes, judged_metric, mirrored
from tasks.evaluate.errors import EvidenceError
from tasks.evaluate.images import write_images
from tasks.evaluate.scoreboard import Scored, read_scores
from tasks.evaluate.segmentation import confusion_matrix, segmentation_scores
from tasks.store.files import write_json

NAMES = ("road", "car", "person", "bus")  # the benchmark shows no bus
IMAGES = 24
CUT, SRUNIT = "translated(cut)", "translated(srunit)"
Maps = NDArray[np.uint8]


def config(**changes: Any) -> EvaluateConfig:
    return EvaluateConfig(**({"resamples": 400} | changes))


def truth_maps(images: int = IMAGES) -> Maps:
    return np.random.default_rng(7).integers(0, 3, (images, 12, 12)).astype(np.uint8)


def wrong(truth: Maps, share: float, seed: int = 0, uneven: float = 0.0) -> Maps:
    """Predictions with a share of the pixels wrong, more or less of them an image where uneven."""
    rng = np.random.default_rng(seed)
    shares = np.clip(share + uneven * rng.standard_normal((len(truth), 1, 1)), 0, 1)
    flipped = rng.random(truth.shape) < shares
    return np.where(flipped, (truth + 1) % 3, truth).astype(np.uint8)


def segmentation(
    folder: Path, truth: Maps, predicted: Maps, names: tuple[str, ...] = NAMES, left_out: tuple[str, ...] = ()
) -> Path:
    folder.mkdir(parents=True)
    evidence: dict[str, list[Any]] = {"id": [], "truth": [], "predicted": [], "pixels": []}
    total = np.zeros((len(names), len(names)), np.int64)
    for i, (of_truth, of_model) in enumerate(zip(truth, predicted, strict=True)):
        confusion = confusion_matrix(of_truth, of_model, len(names))
        total += confusion
        rows, columns = np.nonzero(confusion)
        cells = zip(rows.tolist(), columns.tolist(), confusion[rows, columns].tolist(), strict=True)
        for cell in cells:
            for column, value in zip(evidence, (f"{i:03}", *cell), strict=True):
                evidence[column].append(value)
    pq.write_table(pa.table(evidence), folder / "confusion.parquet")
    scores = segmentation_scores(total, names, left_out)
    write_json(folder / "scores.json", {"images": len(truth), "left_out": list(left_out), **scores})
    return folder


def boxes(images: int = IMAGES, names: tuple[str, ...] = ("car", "bus", "bike")) -> dict[str, Any]:
    """Two cars and a bus an image; no bike."""
    annotations = [
        {"image_id": image, "category_id": category, "bbox": [x, 10 + image % 5, 20, 20], "area": 400, "iscrowd": 0}
        for image in range(1, images + 1)
        for category, x in ((1, 5), (1, 40), (2, 75))
    ]
    return {
        "info": {},
        "images": [{"id": i, "file_name": f"{i:03}", "width": 100, "height": 100} for i in range(1, images + 1)],
        "annotations": [{"id": i, **a} for i, a in enumerate(annotations, 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)],
    }


def detected(truth: dict[str, Any], share: float, shift: float = 0, seed: int = 0) -> list[dict[str, Any]]:
    """A share of the true boxes, shifted, and a false alarm an image."""
    rng = np.random.default_rng(seed)
    found = [
        {"image_id": a["image_id"], "category_id": a["category_id"], "bbox": [a["bbox"][0] + shift, *a["bbox"][1:]]}
        for a in truth["annotations"]
        if rng.random() < share
    ]
    found += [{"image_id": i["id"], "category_id": 1, "bbox": [50, 70, 20, 20]} for i in truth["images"]]
    return [{**f, "score": round(float(rng.random()), 5)} for f in found]


def detection(folder: Path, truth: dict[str, Any], found: list[dict[str, Any]], left_out: tuple[str, ...] = ()) -> Path:
    folder.mkdir(parents=True)
    write_json(folder / "ground_truth.json", truth)
    write_json(folder / "predictions.json", found)
    scores = detection_scores(truth, found, left_out)
    write_json(folder / "scores.json", {"images": len(truth["images"]), "left_out": list(left_out), **scores})
    return folder


def scored(folder: Path, predictions: dict[tuple[str, int], Maps], truth: Maps | None = None) -> list[Scored]:
    truth = truth_maps() if truth is None else truth
    return [
        Scored("segmentation", arm, seed, segmentation(folder / f"{arm} {seed}", truth, predicted))
        for (arm, seed), predicted in predictions.items()
    ]


def compared(results: Sequence[Scored], settings: EvaluateConfig | None = None) -> TaskComparison:
    cells = [(r.arm, r.seed) for r in results]
    (found,) = compare_arms(results, {results[0].task: cells}, settings or config(), Arm("source"), Arm("real")).tasks
    return found


def test_arms_with_fewer_real_images_make_a_curve(tmp_path: Path) -> None:
    truth = truth_maps()
    shares = {"real[6]": 0.5, "real": 0.3, "real[6]+translated(cut)": 0.4, "real+translated(cut)": 0.2}
    results = scored(tmp_path, {(arm, 0): wrong(truth, share) for arm, share in shares.items()})
    labelled = {Arm(arm): 6 if "[6]" in arm else 60 for arm in shares}
    cells = [(r.arm, r.seed) for r in results]
    made = [
        compare_arms(
            results, {"segmentation": cells}, config(), Arm("source"), Arm("real"), labelled={"segmentation": labelled}
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    found = made[0].tasks[0].efficiency
    assert found is not None
    assert [[point.images for point in curve.points] for curve in found.curves] == [[6, 60], [6, 60]]
    assert [score.score for score in found.curves[0].points] == [
        of.metrics["mIoU"] for of in made[0].tasks[0].arms if of.arm in ("real", "real[6]")
    ]
    (saving,) = found.savings
    assert 6 < (saving.needed or 0) < 60
    assert compared(results).efficiency is None


def against(found: TaskComparison, arm: str, other: str) -> ArmDifference:
    difference = found.difference(arm, other)
    assert difference is not None
    return difference


def miou(found: TaskComparison, arm: str, other: str) -> Difference:
    return against(found, arm, other).metrics["mIoU"]


def width(score: Estimate) -> float:
    assert score.low is not None
    assert score.high is not None
    return score.high - score.low


def test_a_clear_improvement_and_the_same_seen_from_the_other_arm(tmp_path: Path) -> None:
    truth = truth_maps()
    found = compared(scored(tmp_path, {("source", 0): wrong(truth, 0.5), ("real", 0): wrong(truth, 0.1)}))
    better, worse = miou(found, "real", "source"), miou(found, "source", "real")
    assert better.outcome == "improves"
    assert better.value is not None
    assert better.low is not None
    assert better.high is not None
    assert 0.3 < better.low < better.value < better.high < 0.7
    assert better.p == pytest.approx(2 / 401, abs=1e-6)
    assert better.q is None
    assert (worse.outcome, worse.value, worse.low, worse.high) == ("harms", -better.value, -better.high, -better.low)
    road = against(found, "real", "source").classes["road"]
    assert road.outcome == "improves"
    assert road.q is not None
    assert road.q < 0.05


def test_a_difference_is_that_of_the_scores_seed_by_seed(tmp_path: Path) -> None:
    truth = truth_maps()
    shares = {("source", 0): 0.5, ("source", 1): 0.52, (CUT, 1): 0.3, (CUT, 0): 0.29, (CUT, 2): 0.9}
    results = scored(tmp_path, {cell: wrong(truth, share, i) for i, (cell, share) in enumerate(shares.items())})
    difference = miou(compared(results), CUT, "source")
    values = {(r.arm, r.seed): json.loads((r.folder / "scores.json").read_text())["metrics"]["mIoU"] for r in results}
    expected = {seed: values[CUT, seed] - values["source", seed] for seed in (0, 1)}
    assert difference.by_seed == pytest.approx(expected, abs=1e-6)
    assert difference.value == pytest.approx(sum(expected.values()) / 2, abs=1e-6)


def test_identical_predictions_are_no_difference(tmp_path: Path) -> None:
    truth = truth_maps()
    same = {(arm, seed): wrong(truth, 0.3, seed) for arm in ("source", CUT) for seed in (0, 1)}
    found = compared(scored(tmp_path, same))
    for difference in (miou(found, CUT, "source"), against(found, CUT, "source").classes["car"]):
        assert (difference.value, difference.low, difference.high, difference.p) == (0, 0, 0, 1)
        assert (difference.outcome, difference.needs) == ("no difference", None)


def test_noise_is_not_decidable_and_says_how_many_images_would_decide(tmp_path: Path) -> None:
    truth = truth_maps()
    noisy = {("source", 0): wrong(truth, 0.3, 1, 0.15), (CUT, 0): wrong(truth, 0.3, 2, 0.15)}
    found = compared(scored(tmp_path, noisy))
    difference = miou(found, CUT, "source")
    assert difference.outcome == "not decidable"
    assert difference.needs is not None
    assert difference.needs.images is not None
    assert difference.needs == Needs(kind="about", images=difference.needs.images)
    assert difference.value is not None
    half, target = width(difference) / 2, max(abs(difference.value), 0.005 - abs(difference.value))
    assert difference.needs.images == pytest.approx(IMAGES * (half / target) ** 2, rel=0.3)
    assert found.notes[:2] == (Note(code="one_seed"), Note(code="training_unknown"))


def test_a_mixed_difference_over_seeds_is_wider_than_that_of_one(tmp_path: Path) -> None:
    truth = truth_maps()
    shares = {("source", s): 0.4 for s in range(3)} | {(CUT, 0): 0.2, (CUT, 1): 0.41, (CUT, 2): 0.3}
    results = scored(tmp_path, {c: wrong(truth, share, c[1]) for c, share in shares.items()})
    one, three = compared(results[:1] + results[3:4]), compared(results)
    assert miou(one, CUT, "source").outcome == "improves"
    assert miou(three, CUT, "source").outcome == "not decidable"
    needs = miou(three, CUT, "source").needs
    assert needs is not None
    assert needs.seeds is not None
    assert three.notes[0] == Note(code="no_sign_flip", values={"least": 6, "level": 0.05})
    assert not {"one_seed", "training_unknown"} & {n.code for n in three.notes}


def test_six_seeds_have_a_sign_flip_test(tmp_path: Path) -> None:
    truth = truth_maps(8)
    shares = {"source": 0.4, CUT: 0.1}
    predictions = {(arm, s): wrong(truth, share, s) for arm, share in shares.items() for s in range(6)}
    found = compared(scored(tmp_path, predictions, truth), config(resamples=1000))
    difference = miou(found, CUT, "source")
    assert difference.outcome == "improves"
    assert difference.sign_flip == pytest.approx(2 / 64, abs=1e-6)
    assert found.notes == ()


def test_a_class_that_the_benchmark_does_not_show(tmp_path: Path) -> None:
    truth = truth_maps()
    found = compared(scored(tmp_path, {("source", 0): wrong(truth, 0.5), (CUT, 0): wrong(truth, 0.2)}))
    bus = against(found, CUT, "source").classes["bus"]
    assert (bus.value, bus.low, bus.high, bus.p, bus.q, bus.outcome) == (None, None, None, None, None, "not decidable")
    assert (bus.by_seed, bus.needs) == ({}, None)
    assert found.arms[0].classes["bus"].value is None
    known = [found.arms[0].classes[name].value or 0 for name in NAMES[:3]]
    assert found.arms[0].metrics["mIoU"].value == pytest.approx(np.mean(known), abs=2e-6)


def test_a_class_in_few_images_is_not_decided_by_them(tmp_path: Path) -> None:
    truth = truth_maps()
    truth[:5, :4] = 3  # a bus in 5 images
    blind = np.where(truth == 3, 0, truth).astype(np.uint8)
    found = compared(scored(tmp_path, {("source", 0): blind, (CUT, 0): truth}, truth))
    bus = against(found, CUT, "source").classes["bus"]
    needs = Needs(kind="least", images=6, shown=True)
    assert (bus.value, bus.outcome, bus.needs) == (1, "not decidable", needs)
    assert (bus.p, bus.q) == (None, None)


def test_arms_of_one_task_in_the_order_of_the_matrix(tmp_path: Path) -> None:
    truth = truth_maps(8)
    arms = ("real", "source", "translated(cut)", "real+source", "real+translated(cut)")
    results = scored(tmp_path, {(arm, 0): wrong(truth, 0.1 * i, i) for i, arm in enumerate(arms, 1)}, truth)
    found = compared(results[::-1])
    assert [a.arm for a in found.arms] == list(arms)[::-1]
    assert {(d.arm, d.against) for d in found.differences} == {
        *((arm, "source") for arm in arms if arm != "source"),
        *((arm, "real") for arm in arms if arm != "real"),
        ("real+translated(cut)", "real+source"),
    }
    assert len(found.differences) == 9


def test_class_differences_are_adjusted_once_a_pair(tmp_path: Path) -> None:
    truth = truth_maps()
    arms = ("source", "real", CUT)
    uneven = {(arm, s): wrong(truth, 0.2, 3 * s + i, 0.1) for i, arm in enumerate(arms) for s in (0, 1)}
    found = compared(scored(tmp_path, uneven))
    pairs = [("real", "source"), (CUT, "source"), (CUT, "real")]
    classes = [d for pair in pairs for d in against(found, *pair).classes.values()]
    p = sorted(d.p for d in classes if d.p is not None)
    q = sorted(d.q for d in classes if d.q is not None)
    assert len(p) == 9  # and not 12: real against source is source against real
    assert q == pytest.approx([min(p[j] * 9 / (j + 1) for j in range(i, 9)) for i in range(9)], abs=1e-5)
    mirror = against(found, "source", "real").classes
    for name, difference in against(found, "real", "source").classes.items():
        assert mirror[name] == mirrored(difference)


def test_models_are_compared_on_the_same_images(tmp_path: Path) -> None:
    truth = truth_maps()
    hard = np.arange(IMAGES) % 2 == 0
    source = np.where(hard[:, None, None], wrong(truth, 0.8), truth).astype(np.uint8)
    cut = source.copy()
    cut[:, :1] = truth[:, :1]  # a twelfth of every image's errors is gone
    found = compared(scored(tmp_path, {("source", 0): source, (CUT, 0): cut}))
    score, difference = found.arms[0].metrics["mIoU"], miou(found, CUT, "source")
    assert difference.outcome == "improves"
    assert width(difference) < width(score) / 5


def test_frames_of_few_drives_are_less_evidence_than_images_from_all_over(tmp_path: Path) -> None:
    truth = truth_maps(60)
    slow = np.repeat(np.random.default_rng(5).standard_normal(6), 10)[:, None, None]
    noise = np.random.default_rng(6).random(truth.shape)
    cut = np.where(noise < np.clip(0.28 + 0.15 * slow, 0, 1), (truth + 1) % 3, truth).astype(np.uint8)
    results = scored(tmp_path, {("source", 0): wrong(truth, 0.3), (CUT, 0): cut}, truth)
    alone = compared(results)
    assert alone.clusters == Clusters(kind="image", reason="older", units=60, effective=60)
    info = TableInfo(dataset="streets", classes=(), detection=(), encoding=None, boxes_from=None)
    for result in results:
        samples = [
            Sample(f"{i:03}", Path("/i"), None, 1, 1, "val", "", None, None, {}, f"drive{i // 10}") for i in range(60)
        ]
        write_images(result.folder, SampleTable.from_samples(samples, info, Path("/")))
    found = compared(results)
    assert found.clusters is not None
    assert (found.clusters.kind, found.clusters.benchmark, found.clusters.sequences) == ("sequence", "streets", 6)
    assert found.clusters.effective < 15
    assert width(miou(found, CUT, "source")) > 2 * width(miou(alone, CUT, "source"))
    assert compared(results, config(cluster="image")).differences == alone.differences


def test_few_images_decide_nothing_even_where_two_models_are_the_same(tmp_path: Path) -> None:
    truth = truth_maps(1)
    found = compared(scored(tmp_path, dict.fromkeys([("source", 0), (CUT, 0)], wrong(truth, 0.3)), truth))
    difference = miou(found, CUT, "source")
    assert (difference.value, difference.outcome) == (0, "not decidable")
    assert difference.needs == Needs(kind="least", images=6)
    assert found.clusters == Clusters(kind="image", reason="older", units=1, effective=1, enough=False)


def test_one_arm_alone_has_scores_and_no_differences(tmp_path: Path) -> None:
    truth = truth_maps(8)
    found = compared(scored(tmp_path, {(CUT, 0): wrong(truth, 0.2)}, truth))
    assert [a.arm for a in found.arms] == [CUT]
    assert found.differences == ()
    assert found.notes == (Note(code="one_seed"),)


def test_a_partial_matrix_names_what_is_missing(tmp_path: Path) -> None:
    truth = truth_maps(8)
    cells = [(arm, seed) for arm in ("source", CUT, SRUNIT) for seed in (0, 1)]
    there = {("source", 0): 0.3, (CUT, 0): 0.2, (CUT, 1): 0.2, (SRUNIT, 1): 0.2}
    results = scored(tmp_path, {c: wrong(truth, share, c[1]) for c, share in there.items()}, truth)
    declared: dict[Task, list[tuple[str, int]]] = {"segmentation": cells, "detection": [(CUT, 0)]}
    comparison = compare_arms(results, declared, config(), Arm("source"), Arm("real"))
    found, nothing = comparison.tasks
    assert [(m.arm, m.seed) for m in found.missing] == [("source", 1), (SRUNIT, 0)]
    assert [(d.arm, d.against, d.seeds) for d in found.differences] == [(CUT, "source", (0,))]
    assert Note(code="no_common_seed", arms=(SRUNIT, "source")) in found.notes
    assert Note(code="few_common_seeds", arms=(CUT, "source"), seeds=(0,), values={"declared": 2}) in found.notes
    assert Note(code="one_seed", arms=("source", SRUNIT)) in found.notes
    assert (nothing.task, nothing.metric, nothing.arms, nothing.images) == ("detection", "mAP", (), 0)
    assert [(m.arm, m.seed) for m in nothing.missing] == [(CUT, 0)]


@pytest.mark.parametrize("left_out", [(), ("car",)])
def test_unrounded_points_are_those_of_scores_json(tmp_path: Path, left_out: tuple[str, ...]) -> None:
    truth, coco = truth_maps(), boxes()
    maps = segmentation(tmp_path / "s", truth, wrong(truth, 0.3), left_out=left_out)
    found = detection(tmp_path / "d", coco, detected(coco, 0.7, 6.5), left_out)  # of IoU 0.509
    tasks: list[tuple[Task, Path, dict[str, str]]] = [
        ("segmentation", maps, {"classes": "IoU"}),
        ("detection", found, {"classes": "AP", "classes50": "AP50"}),
    ]
    for task, folder, keys in tasks:
        board = read_scores(task, [Scored(task, CUT, 0, folder)], 5, 0)
        scores = json.loads((folder / "scores.json").read_text())
        by_class = {c["name"]: c for c in scores["classes"]}
        for value, (group, name) in zip(board.models[CUT, 0].values, board.quantities, strict=True):
            expected = scores["metrics"][name] if group == "metrics" else by_class[name][keys[group]]
            assert (None if math.isnan(value) else value) == (expected and pytest.approx(expected, abs=1e-9))


def test_detectors(tmp_path: Path) -> None:
    truth = boxes()
    folders = {
        "source": detection(tmp_path / "a", truth, detected(truth, 0.4, 3)),
        CUT: detection(tmp_path / "b", truth, detected(truth, 1.0)),
    }
    found = compared([Scored("detection", arm, 0, folder) for arm, folder in folders.items()])
    difference = against(found, CUT, "source")
    assert found.metric == "mAP"
    assert {name: d.outcome for name, d in difference.metrics.items()} == {"mAP": "improves", "AP50": "improves"}
    assert difference.classes["bike"].value is None
    assert difference.classes50["bus"].outcome == "improves"
    points = json.loads((folders[CUT] / "scores.json").read_text())["metrics"]
    estimate = found.arms[1].metrics["AP50"]
    assert estimate.value == pytest.approx(points["AP50"], abs=1e-6)
    assert estimate.low is not None
    assert estimate.high is not None
    assert 0 <= estimate.low < points["AP50"] < estimate.high <= 1


def test_detectors_that_find_nothing(tmp_path: Path) -> None:
    truth = boxes()
    results = [Scored("detection", arm, 0, detection(tmp_path / arm, truth, [])) for arm in ("source", CUT)]
    found = compared(results)
    difference = against(found, CUT, "source").metrics["mAP"]
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert difference.outcome == "no difference"
    assert found.arms[0].metrics["mAP"].model_dump() == {"value": 0, "low": 0, "high": 0}


def test_results_of_other_classes_images_or_labels_are_refused_by_name(tmp_path: Path) -> None:
    truth = truth_maps(8)
    other = truth.copy()
    other[3, 0, 0] = (other[3, 0, 0] + 1) % 3
    first = Scored("segmentation", "source", 0, segmentation(tmp_path / "a", truth, truth))
    cases = {
        "classes": segmentation(tmp_path / "b", truth, truth, ("road", "car", "person", "train")),
        "left-out": segmentation(tmp_path / "c", truth, truth, left_out=("car",)),
        "007": segmentation(tmp_path / "d", truth[:7], truth[:7]),
        "labels of 1 images": segmentation(tmp_path / "e", other, truth),
    }
    for what, folder in cases.items():
        with pytest.raises(EvidenceError, match=r"arm source, seed 0 and arm translated\(cut\), seed 3") as refused:
            compared([first, Scored("segmentation", CUT, 3, folder)])
        assert what in str(refused.value)
    with pytest.raises(EvidenceError, match="arm source, seed 0 is there twice"):
        compared([first, first])


def test_the_same_results_give_the_same_comparison_and_it_survives_json(tmp_path: Path) -> None:
    truth = truth_maps()
    predictions = {(arm, s): wrong(truth, 0.3, i + 2 * s) for i, arm in enumerate(("source", CUT)) for s in (0, 1)}
    results = scored(tmp_path, predictions)
    found = compared(results)
    assert compared(results) == found
    extended = compared([*results, Scored("segmentation", "real", 0, results[0].folder)])
    assert extended.arms[:2] == found.arms  # an arm more changes no interval of the others
    assert extended.difference(CUT, "source").metrics == found.difference(CUT, "source").metrics  # type: ignore[union-attr]
    comparison = Comparison(tasks=(found,))
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison


def test_a_single_class_that_cannot_pass_the_adjustment_is_said_so(tmp_path: Path) -> None:
    truth = truth_maps(8)
    results = scored(tmp_path, {("source", 0): wrong(truth, 0.4), (CUT, 0): wrong(truth, 0.1)}, truth)
    few = Note(code="few_resamples", values={"comparisons": 3, "resamples": 110, "least": 120})
    assert few in compared(results, config(resamples=110)).notes
    assert "few_resamples" not in {n.code for n in compared(results, config(resamples=120)).notes}


def a_difference(**changes: Any) -> Measured:
    base = Measured({0: 0.01}, 0.01, -0.01, 0.03, p=0.3, images=100, sampling=1e-4, training=0, both=0)
    return replace(base, **changes)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (1e-9, 0.02, "improves"),
        (-0.02, -1e-9, "harms"),
        (-0.005, 0.005, "no difference"),
        (0.0, 0.005, "no difference"),
        (-0.005, 0.0051, "not decidable"),
        (-0.02, 0.0, "not decidable"),
    ],
)
def test_outcomes_by_interval_and_margin(low: float, high: float, outcome: str) -> None:
    found = judged_metric(a_difference(low=low, high=high), 0.005)
    assert found.outcome == outcome
    assert (found.needs is not None) == (outcome == "not decidable")
    assert {"improves": "harms", "harms": "improves"}.get(outcome, outcome) == mirrored(found).outcome


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        # The half width must come from 1.96 sd = 0.0196 to 0.01: 3.84 times the images.
        ({}, Needs(kind="about", images=390)),
        # A value of 0.001 is decided by an interval that fits into the margin: 0.004, so 24.01 times the images.
        ({"value": 0.001}, Needs(kind="about", images=2500)),
        # Two seeds: 12.71 standard errors are too many for any images. t² of n - 1 over n is at most 2 from n = 5 on.
        (
            {"by_seed": {0: 0.0, 1: 0.04}, "value": 0.02, "sampling": 0.0, "training": 1e-4},
            Needs(kind="about", seeds=5),
        ),
        ({"by_seed": {0: 0.0, 1: 0.02}, "training": 1e-4}, Needs(kind="more")),
        # 30 seeds with little spread: t is 2.04. Images: 1e-4 / ((0.01 / 1.96)² - 4e-6 * 1.09) of 100.
        ({"by_seed": dict.fromkeys(range(30), 0.01), "training": 4e-6}, Needs(kind="about", images=470)),
        # Seeds: 2e-5 * 30 t² / ((0.01 / 1.96)² - 1e-5) / 1.96² is 37.4 without t, 39.9 with that of 39 and of 40 seeds.
        (
            {"by_seed": dict.fromkeys(range(30), 0.01), "training": 2e-5, "sampling": 1e-5},
            Needs(kind="about", images=240, seeds=40),
        ),
        ({"lacking": Needs(kind="least", images=6)}, Needs(kind="least", images=6)),
    ],
)
def test_how_much_evidence_would_decide(changes: dict[str, Any], needs: Needs) -> None:
    found = judged_metric(a_difference(**changes), 0.005)
    assert (found.outcome, found.needs) == ("not decidable", needs)


def test_a_class_that_does_not_pass_the_adjustment() -> None:
    sure = a_difference(value=0.02, low=0.0004, high=0.0396, p=0.04)
    alone, *_ = judged_classes([sure], 0.005)
    assert (alone.outcome, alone.q) == ("improves", 0.04)
    among, *others = judged_classes([sure, *(a_difference(p=0.5) for _ in range(9)), a_difference(p=None)], 0.005)
    assert (among.outcome, among.q) == ("not decidable", 0.4)
    # At 0.05 / 10, 2.807 standard deviations of 0.01 must fit into 0.02: 1.97 times the images.
    assert among.needs == Needs(kind="about", images=200, comparisons=10)
    assert others[-1].q is None

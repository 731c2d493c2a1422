"""Flips against counts made by hand, and the predictions that cannot be compared."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks.audit.checks import flips_checks
from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.flips import measure_flips
from tasks.audit.telling import check_sentence, subject_label
from tasks.contracts.audit_check import Subject
from tasks.datasets.errors import ImageError
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo

Rows = list[list[int]]
SKY, TREE, ROAD = 0, 1, 2
IGNORED = 9
INFO = TableInfo(
    dataset="drawn",
    classes=tuple(SegmentationClass(name=n, color=(i, i, i)) for i, n in enumerate(("Sky", "Tree", "Road"))),
    detection=(),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2, IGNORED: 255}),
    boxes_from=None,
)


def png(path: Path, rows: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(rows, np.uint8)).save(path)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Callable[[dict[str, Rows]], SampleTable]:
    """A function that makes a table of masks by id; no image file is needed."""

    def make(masks: dict[str, Rows]) -> SampleTable:
        samples = [
            Sample(i, tmp_path / "none.png", png(tmp_path / f"{i}_mask.png", m), len(m[0]), len(m), "", "", "", None)
            for i, m in masks.items()
        ]
        return SampleTable.from_samples(samples, INFO, tmp_path)

    return make


def predictions(folder: Path, by_id: dict[str, Rows]) -> Path:
    for name, rows in by_id.items():
        png(folder / "predictions" / f"{name}.png", rows)
    return folder


LABELS = {"a": [[SKY, SKY, SKY, IGNORED], [ROAD, ROAD, TREE, TREE]], "b": [[SKY, SKY, ROAD, ROAD], [ROAD] * 4]}
# Wrong before: one Sky and one Tree of a.
BEFORE = {"a": [[SKY, SKY, TREE, SKY], [ROAD, ROAD, TREE, SKY]], "b": LABELS["b"]}
# Of a, one Sky flips to Tree, one Road to Sky, and the Tree that was read wrongly recovers. b stays.
AFTER = {"a": [[TREE, SKY, ROAD, TREE], [SKY, ROAD, TREE, TREE]], "b": LABELS["b"]}


def test_counts_made_by_hand(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before, after = predictions(tmp_path / "before", BEFORE), predictions(tmp_path / "after", AFTER)
    found = measure_flips(labelled, before, labelled, after, None, 0)
    assert found.ids == ("a", "b")
    assert found.share.tolist() == [2 / 5, 0]
    assert found.per_class[0].tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    assert found.per_class[1].tolist() == [[2, 0, 0], [0, 0, 0], [0, 0, 6]]
    flips = found.flips
    assert flips.matrix == ((3, 1, 0), (0, 1, 0), (1, 0, 7))
    assert flips.share.value == 2 / 13
    assert flips.recovered.value == 1 / 2
    assert flips.source_accuracy == 13 / 15
    assert flips.translated_accuracy == 12 / 15
    assert (flips.real_accuracy, flips.real_miou) == (None, None)
    assert [(c.name, c.pixels, c.rate.value, c.to) for c in flips.classes] == [
        ("Sky", 4, 1 / 4, {"Tree": 1 / 4}),
        ("Tree", 1, 0, {}),
        ("Road", 8, 1 / 8, {"Sky": 1 / 8}),
    ]


def test_intervals_are_over_images(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before, after = predictions(tmp_path / "before", BEFORE), predictions(tmp_path / "after", AFTER)
    flips = measure_flips(labelled, before, labelled, after, None, 0).flips
    # Of two images, a quarter of the resamples is twice b, and a quarter twice a.
    assert (flips.share.low, flips.share.high) == (0, 2 / 5)
    assert (flips.classes[0].rate.low, flips.classes[0].rate.high) == (0, 1 / 2)
    assert (flips.classes[1].rate.low, flips.classes[1].rate.high) == (0, 0)  # some resamples have no Tree at all


def test_unchanged_images_have_no_flip(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before = predictions(tmp_path / "before", BEFORE)
    found = measure_flips(labelled, before, labelled, before, None, 0)
    assert found.share.tolist() == [0, 0]
    assert (found.flips.share.value, found.flips.share.high, found.flips.recovered.value) == (0, 0, 0)
    assert all(not c.to for c in found.flips.classes)
    assert found.flips.source_accuracy == found.flips.translated_accuracy


def test_judge_that_reads_nothing_rightly(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table({"a": [[SKY, SKY]]})
    wrong = predictions(tmp_path / "before", {"a": [[ROAD, TREE]]})
    found = measure_flips(labelled, wrong, labelled, wrong, None, 0)
    assert found.share.tolist() == [0]
    assert found.flips.share.value is None
    assert [c.rate.value for c in found.flips.classes] == [None] * 3
    assert flips_checks(found, AuditConfig()) == []


def test_scores_of_the_judge_on_real_images(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before = predictions(tmp_path / "before", BEFORE)
    (tmp_path / "scores.json").write_text(
        json.dumps({"images": 2, "classes": [], "metrics": {"pixel_accuracy": 0.9, "mIoU": 0.5}})
    )
    flips = measure_flips(labelled, before, labelled, before, tmp_path, 0).flips
    assert (flips.real_accuracy, flips.real_miou) == (0.9, 0.5)


def test_variants_are_compared_with_their_source_and_stay_together(
    table: Callable[..., SampleTable], tmp_path: Path
) -> None:
    source = table({"a": [[SKY, SKY]]})
    variants = [replace(source[0], id=f"a__v{k}", extra={"variant": k, "of": "a"}) for k in range(2)]
    translated = SampleTable.from_samples(variants, INFO, tmp_path)
    before = predictions(tmp_path / "before", {"a": [[SKY, SKY]]})
    after = predictions(tmp_path / "after", {"a__v0": [[SKY, TREE]], "a__v1": [[ROAD, TREE]]})
    found = measure_flips(source, before, translated, after, None, 0)
    assert found.ids == ("a__v0", "a__v1")
    assert found.share.tolist() == [0.5, 1]
    rate = found.flips.share
    assert (rate.low, rate.value, rate.high) == (0.75, 0.75, 0.75)  # one image of the source: nothing to resample
    assert found.flips.classes[0].to == {"Tree": 0.5, "Road": 0.25}


def test_images_without_a_mask_are_left_out(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    whole = table(LABELS)
    some = SampleTable.from_samples([whole[0], replace(whole[1], mask=None, mask_sha256=None)], INFO, tmp_path)
    before = predictions(tmp_path / "before", {"a": BEFORE["a"]})
    assert measure_flips(some, before, some, before, None, 0).ids == ("a",)


def test_predictions_that_cannot_be_compared(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before = predictions(tmp_path / "before", BEFORE)
    after = predictions(tmp_path / "after", {"a": AFTER["a"]})
    with pytest.raises(ImageError, match=r"after/predictions/b\.png: is missing: .* run it again"):
        measure_flips(labelled, before, labelled, after, None, 0)
    predictions(after, {"b": [[SKY, SKY]]})
    with pytest.raises(ImageError, match=r"after/predictions/b\.png: is 2x1, but its image 4x2"):
        measure_flips(labelled, before, labelled, after, None, 0)
    predictions(after, {"b": [[3, 0, 0, 0], [0, 0, 0, 0]]})
    with pytest.raises(ImageError, match=r"b\.png: is no prediction of 3 classes"):
        measure_flips(labelled, before, labelled, after, None, 0)


def test_tables_that_do_not_belong_together(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    with pytest.raises(ValueError, match="image 'b' is of no image of"):
        measure_flips(labelled.take([0]), tmp_path, labelled, tmp_path, None, 0)
    other = SampleTable(labelled.rows, INFO.model_copy(update={"classes": INFO.classes[:2]}), tmp_path)
    with pytest.raises(ValueError, match="different classes"):
        measure_flips(other, tmp_path, labelled, tmp_path, None, 0)


def test_checks_name_the_main_destination_and_the_images(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    labelled = table(LABELS)
    before, after = predictions(tmp_path / "before", BEFORE), predictions(tmp_path / "after", AFTER)
    found = measure_flips(labelled, before, labelled, after, None, 0)
    thresholds = Thresholds(flips=0.2, flips_error=0.1, flipped_image=0.3, flipped_images=0.5)
    checks = {subject_label(c): c for c in flips_checks(found, AuditConfig(thresholds=thresholds))}
    assert {s: (c.measure, c.severity, c.passed, c.listed) for s, c in checks.items()} == {
        "all classes": ("flips", "error", False, ("a",)),
        "images": ("flipped_images", "error", True, ("a",)),
        "Sky → Tree": ("flips", "warning", False, ("a",)),
        "Tree": ("flips", "warning", True, ()),
        "Road → Sky": ("flips", "warning", True, ("a",)),
    }
    assert checks["images"].measured == 0.5
    assert checks["Sky → Tree"].subject == Subject(class_name="Sky", becomes="Tree")
    said = {name: check_sentence(check) for name, check in checks.items()}
    assert "25.0 % of Sky is read as another class after translation, 25.0 % as Tree: look" in said["Sky → Tree"]
    assert "1 of 2 images have more than 30.0 %" in said["images"]


def test_classes_of_hardly_a_pixel_are_not_checked(table: Callable[..., SampleTable], tmp_path: Path) -> None:
    mask = np.full((40, 60), ROAD)
    mask[0, 0] = SKY  # 1 of 2400: under 0.05 %
    labelled = table({"a": mask.tolist()})
    before = predictions(tmp_path / "before", {"a": mask.tolist()})
    after = predictions(tmp_path / "after", {"a": np.full((40, 60), ROAD).tolist()})
    found = measure_flips(labelled, before, labelled, after, None, 0)
    assert found.flips.classes[SKY].rate.value == 1
    assert [subject_label(c) for c in flips_checks(found, AuditConfig())] == ["all classes", "images", "Road"]

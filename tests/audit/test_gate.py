"""What becomes of flipped images, how checks are ranked, and when a run is stopped."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.audit.checks import colour_checks, distance_checks, doubted, geometry_checks, rank, recall_checks
from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.gate import AuditFailed, enforce, gate
from tasks.audit.telling import check_sentence
from tasks.contracts.artifact import Artifact
from tasks.contracts.audit import Acted, Audit, ClassGap, Distance, Gap, Rate, Recall
from tasks.contracts.audit_check import AuditCheck, Measure, Subject
from tasks.contracts.finding import Finding
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo

INFO = TableInfo(
    dataset="drawn",
    classes=(SegmentationClass(name="Sky", color=(0, 0, 0)),),
    detection=("car",),
    encoding=None,
    boxes_from="annotated",
)
IDS = ("a", "b", "c")


def table(folder: Path, ids: tuple[str, ...] = IDS, **changes: Any) -> SampleTable:
    samples = [
        Sample(i, Path("images") / f"{i}.png", Path(f"{i}_mask.png"), 8, 4, "train", f"{folder.name} {i}", "m", (BOX,))
        for i in ids
    ]
    return SampleTable.from_samples([replace(s, **changes) for s in samples], INFO, folder)


BOX = Box(0, 1, 1, 3, 3)


def config(**changes: Any) -> AuditConfig:
    return AuditConfig(thresholds=Thresholds(flipped_image=0.3), **changes)


def test_no_image_over_the_threshold_leaves_the_translated_table(tmp_path: Path) -> None:
    share = np.array([0, 0.3, 0.1])
    for action in ("drop", "keep_source", "stop"):
        found = gate(table(tmp_path / "t"), table(tmp_path / "s"), IDS, share, config(on_fail=action))
        assert found == (None, ())


def test_drop(tmp_path: Path) -> None:
    gated, acted = gate(table(tmp_path / "t"), table(tmp_path / "s"), IDS, np.array([0.31, 0, 0.9]), config())
    assert gated is not None
    assert [s.id for s in gated] == ["b"]
    assert gated[0].image == tmp_path / "t" / "images" / "b.png"
    assert acted == (Acted(id="a", flipped=0.31, action="drop"), Acted(id="c", flipped=0.9, action="drop"))


def test_keep_source(tmp_path: Path) -> None:
    source = table(tmp_path / "s", phash=7)
    translated = table(tmp_path / "t", phash=3)
    gated, acted = gate(translated, source, IDS, np.array([0, 0, 0.9]), config(on_fail="keep_source"))
    assert gated is not None
    assert acted == (Acted(id="c", flipped=0.9, action="keep_source"),)
    (tmp_path / "audit").mkdir()
    gated.write(tmp_path / "audit")
    read = SampleTable.read(tmp_path / "audit")  # paths must not depend on where the table lies
    assert [s.image for s in read] == [
        tmp_path / "t/images/a.png",
        tmp_path / "t/images/b.png",
        tmp_path / "s/images/c.png",
    ]
    assert [(s.sha256, s.phash) for s in read] == [("t a", 3), ("t b", 3), ("s c", 7)]
    assert {(s.mask, s.boxes) for s in read} == {(tmp_path / f"t/{i}_mask.png", (BOX,)) for i in IDS}


def test_variants_are_replaced_one_by_one(tmp_path: Path) -> None:
    variants = [replace(table(tmp_path / "t")[0], id=f"a__v{k}", extra={"of": "a", "variant": k}) for k in range(2)]
    translated = SampleTable.from_samples(variants, INFO, tmp_path / "t")
    names = ("a__v0", "a__v1")
    gated, _ = gate(translated, table(tmp_path / "s"), names, np.array([0, 0.9]), config(on_fail="keep_source"))
    assert gated is not None
    assert [(s.id, s.sha256) for s in gated] == [("a__v0", "t a"), ("a__v1", "s a")]


def test_flipped_image_without_a_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'c' of .* was made of none of"):
        gate(
            table(tmp_path / "t"),
            table(tmp_path / "s", IDS[:2]),
            IDS,
            np.array([0, 0, 1]),
            config(on_fail="keep_source"),
        )


FOUND = Finding.of("audits.found_flips", share=0.5, name="Sky")
SKY_TREE, CAR_ROAD = (Subject(class_name=a, becomes=b) for a, b in (("Sky", "Tree"), ("Car", "Road")))
FEW = Finding.of("audits.found_flipped_images_stop", over=1, images=100, least=0.3)


def check(measure: Measure, measured: float, threshold: float = 0.5, **changes: Any) -> AuditCheck:
    values = {"severity": "warning", "unit": "share", "found": FOUND}
    return AuditCheck(
        measure=measure, measured=measured, threshold=threshold, passed=measured <= threshold, **{**values, **changes}
    )


def of_class(name: str) -> Subject:
    return Subject(class_name=name)


def audit(*checks: AuditCheck, **changes: Any) -> Audit:
    nothing: Any = {"flips": None, "detail": (), "recall": (), "distances": (), "gap": None, "map": None}
    return Audit(translator="cut", images=3, checks=checks, **{**nothing, **changes})


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return Artifact(kind="audit", key="k", digest="d", path=tmp_path / "audit", seconds=0, cached=False)


def test_failed_errors_rank_first_then_by_excess() -> None:
    given = {
        "passed error": check("geometry", 0.4, severity="error"),
        "small warning": check("recall", 0.6),
        "large warning": check("recall", 1, 0.1),
        "passed warning": check("recall", 0.5),
        "failed error": check("geometry", 0.55, severity="error"),
        "nothing is tolerated": check("recall", 0.1, 0),
    }
    names, checks = list(given), list(given.values())
    assert [names[checks.index(c)] for c in rank(checks)] == [
        "failed error",
        "nothing is tolerated",
        "large warning",
        "small warning",
        "passed warning",
        "passed error",
    ]


def test_symptoms_rank_after_their_causes() -> None:
    checks = [
        check("distance", 90, 1, subject=Subject(distance="FD_seg")),
        check("colour", 9, 1.25, subject=of_class("Sky")),
        check("colour", 8, 1.25, subject=of_class("Pole")),
        check("colour", 2.5, 1.25, subject=of_class("Car")),
        check("flips", 0.3, 0.1, subject=SKY_TREE),
        check("detail", 0.6, 0.5, subject=Subject(class_name="Pole", part="edges")),
        check("flips", 0.05, 0.1, subject=CAR_ROAD),
    ]
    assert [(c.measure, c.subject) for c in rank(checks)] == [
        ("flips", SKY_TREE),
        ("colour", of_class("Sky")),
        ("colour", of_class("Car")),  # its flips passed: by its own excess of 2
        ("detail", Subject(class_name="Pole", part="edges")),
        ("colour", of_class("Pole")),
        ("distance", Subject(distance="FD_seg")),
        ("flips", CAR_ROAD),
    ]
    assert rank(reversed(checks)) == rank(checks)


def test_colours_that_nobody_can_tell_from_real_ones_pass() -> None:
    def of(name: str, before: float | None, after: float | None) -> ClassGap:
        shares = {"frequency_source": 0.1, "frequency_real": 0.1, "prior": None}
        return ClassGap(name=name, colour_before=before, colour_after=after, **shares)

    classes = (of("Sky", 0.1, 2), of("Road", 10, 20), of("Car", 20, 10), of("Tree", None, 3), of("Sign", 0.1, 4.6))
    gap = Gap(
        colour_before=0, colour_after=0, spectrum_before=0, spectrum_after=0, frequency=0, prior=0, classes=classes
    )
    asked: list[tuple[str, ...]] = []

    def worst(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        asked.append(tuple(names))
        return {"Road": ("b", "a")}

    found = colour_checks(gap, worst, Thresholds())
    assert [(c.subject.class_name, c.measured, c.passed, c.listed) for c in found] == [
        ("Sky", 1, True, ()),
        ("Road", 2, False, ("b", "a")),
        ("Car", 0.5, True, ()),
        ("Sign", pytest.approx(2), False, ()),
    ]
    assert asked == [("Road", "Sign")]


def test_distances_within_their_chance_pass() -> None:
    def of(before: float, after: float, floor: float | None) -> float:
        (found,) = distance_checks(
            [Distance(name="KD_seg", before=before, after=after, floor=floor, images=(9, 9))], Thresholds()
        )
        assert found.passed == (found.measured <= 1)
        return found.measured

    assert of(2, 3, None) == 1.5
    assert of(2, 1, 0.1) == 0.5
    assert of(0.01, 0.2, 0.2) == 1  # all below what two halves of the real set are apart
    assert of(-0.1, 0.2, -0.3) == 1  # unbiased estimates fall below 0 by chance, by about as much as they exceed it
    assert of(-0.1, 0.6, -0.3) == pytest.approx(2)
    assert of(0, 0, None) == 1


def test_failed_error_stops_the_run_and_says_where_to_look(artifact: Artifact) -> None:
    failed = check("geometry", 8, 1, severity="error", found=Finding.of("audits.found_geometry", shift=8.0))
    with pytest.raises(AuditFailed) as caught:
        enforce(audit(failed, check("detail", 1)), artifact, config())
    assert "the audit of cut stops the run" in str(caught.value)
    assert "geometry, image: The median image is displaced by 8.00 px." in str(caught.value)
    assert str(artifact.path / "audit.json") in str(caught.value)
    assert "detail" not in str(caught.value)
    enforce(audit(check("detail", 1), check("flips", 0, severity="error")), artifact, config())


def test_on_fail_stop_ends_the_run_for_a_single_image(artifact: Artifact) -> None:
    few = check("flipped_images", 0.01, severity="error", found=FEW)
    none = check("flipped_images", 0, severity="error")
    enforce(audit(few), artifact, config())
    enforce(audit(none), artifact, config(on_fail="stop"))
    enforce(audit(*doubted([few])), artifact, config(on_fail="stop"))  # a judge that cannot be trusted stops nothing
    with pytest.raises(AuditFailed, match=r"1 of 100 images .*\. \(on_fail: stop\)"):
        enforce(audit(few), artifact, config(on_fail="stop"))


def test_nothing_left_to_train_on_stops_the_run(artifact: Artifact) -> None:
    dropped = tuple(Acted(id=i, flipped=1, action="drop") for i in IDS)
    enforce(audit(acted=dropped[:2]), artifact, config())
    with pytest.raises(AuditFailed, match="none is left"):
        enforce(audit(acted=dropped), artifact, config())


def test_geometry_is_the_median_of_what_was_measured() -> None:
    shift = np.array([np.nan, 0.5, 3, 8, np.nan])
    (found,) = geometry_checks(("a", "b", "c", "d", "e"), shift, Thresholds())
    assert (found.measured, found.passed, found.severity, found.listed) == (3, False, "error", ("d", "c"))
    assert geometry_checks(("a",), np.array([np.nan]), Thresholds()) == []


def test_recall_lost() -> None:
    def recall(size: Any, before: float | None, after: float | None) -> Recall:
        return Recall(size=size, boxes=10, before=Rate(value=before), after=Rate(value=after))

    found = recall_checks(
        [recall("all", 0.5, 0.6), recall("small", 0.5, 0.25), recall("large", None, None)], Thresholds()
    )
    assert [(c.subject.size, c.passed, c.measured) for c in found] == [
        ("all", True, pytest.approx(-0.1)),
        ("small", False, 0.25),
    ]
    assert check_sentence(found[1]).startswith(
        "The judge finds 25.0 % of 10 small boxes after translation, 50.0 % before: "
    )

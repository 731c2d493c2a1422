"""The audit's checks in words: what was measured, in English, and the same figures in Korean."""

from __future__ import annotations

import re

import pytest

from tasks.audit.telling import check_sentence, measure_label, subject_label
from tasks.catalogue.formats import figure, percent
from tasks.catalogue.language import say, speaking
from tasks.contracts.audit_check import AuditCheck
from tasks.contracts.finding import Finding
from tests.report.findings import LOOSE, STRICT, every_check

WORD = re.compile(r"[A-Za-z]{4,}")
NAMES = {"mIoU", "Sky", "Building", "Pole", "Kerb", "CIELAB", "FD_seg", "KD_seg"}


def figures(text: str) -> list[str]:
    return sorted(re.findall(r"\d[\d.,]*\d|\d", text))


def foreign(text: str) -> set[str]:
    for name in NAMES:
        text = text.replace(name, " ")
    return {*WORD.findall(text)}


@pytest.mark.parametrize("thresholds", [LOOSE, STRICT])
@pytest.mark.parametrize("on_fail", ["drop", "keep_source", "stop"])
def test_every_check_says_the_same_figures_in_every_language(thresholds: dict[str, float], on_fail: str) -> None:
    made = every_check(thresholds, on_fail)
    assert {c.passed for c in made} == {thresholds is LOOSE}
    assert {c.measure for c in made} == {
        *("flips", "flipped_images", "detail", "recall", "colour", "distance", "geometry"),
    }
    for check in made:
        english = check_sentence(check)
        with speaking("ko"):
            korean = check_sentence(check)
        assert foreign(korean) == set()
        assert foreign(english)
        assert figures(korean) == figures(english)
        assert (check.advice is None) == check.passed
        assert english.endswith(f"{say(check.advice)}." if check.advice else f"{say(check.found)}.")


def shown(check: AuditCheck) -> str:
    """What its sentence must say of what was measured: a ratio is told by its two sides instead."""
    return figure(check.measured) if check.unit == "px" else percent(check.measured)


def test_a_check_tells_what_was_measured() -> None:
    for check in every_check(STRICT):
        if check.measure not in ("recall", "flipped_images", "colour", "distance"):
            assert shown(check) in check_sentence(check)
    said = {(c.measure, subject_label(c)): check_sentence(c) for c in every_check(STRICT)}
    assert said["flips", "all classes"] == (
        "6.1 % of the pixels that the judge (mIoU 34.8 on the benchmark) reads rightly in the source are of another "
        "class afterwards, over 0.1 %: labels no longer fit, so train or choose another translator."
    )
    assert said["flips", "Kerb"].startswith("100.0 % of Kerb is read as another class after translation: look")
    assert said["flips", "Sky → Building"].startswith(
        "31.0 % of Sky is read as another class after translation, 22.0 % as Building: look whether"
    )
    assert said["flipped_images", "images"] == (
        "2 of 3 images have more than 0.1 % of their pixels flipped: they are left out of the training; that is too "
        "many, so train or choose another translator."
    )
    assert said["detail", "image: high band"].startswith("57.0 % of the high band of the image is lost: look")
    assert said["detail", "Pole: edges"].startswith("48.0 % of the edges of Pole are lost: look")
    assert said["recall", "small"].startswith("The judge finds 22.0 % of 200 small boxes after translation, 31.0 % b")
    assert said["recall", "all"].startswith("The judge finds 58.0 % of 420 boxes after translation, 62.0 % before: ")
    assert said["colour", "Building"].startswith(
        "The colour of Building is 24.0 (CIELAB) from the real set's after translation, 14.8 before: the translator"
    )
    assert said["distance", "FD_seg"].startswith(
        "FD_seg to the real set is 403 after translation, 812 before, and 51.3 between halves of the real set: "
    )
    assert said["distance", "KD_seg"].startswith("KD_seg to the real set is 0.0117 after translation, 0.0412 before: ")
    assert said["geometry", "image"].startswith("The median image is displaced by 2.34 px: no label fits its image")


@pytest.mark.parametrize(
    ("on_fail", "words"),
    [
        ("drop", "they are left out of the training"),
        ("keep_source", "the source's images are trained on instead"),
        ("stop", "the run ends before retraining"),
    ],
)
def test_what_is_done_with_flipped_images_is_told_where_there_are_any(on_fail: str, words: str) -> None:
    for thresholds, told in ((STRICT, True), (LOOSE, False)):
        (check,) = [c for c in every_check(thresholds, on_fail) if c.measure == "flipped_images"]
        assert (f": {words}" in check_sentence(check)) == told


def test_names_and_subjects() -> None:
    made = every_check(LOOSE)
    assert {measure_label(c.measure) for c in made} == {
        *("flips", "flipped images", "detail", "recall", "colour", "distance", "geometry"),
    }
    with speaking("ko"):
        korean = {(c.measure, c.subject): subject_label(c) for c in made}
        assert measure_label("flipped_images") == "뒤바뀐 이미지"
    labels = {*korean.values()}
    assert {"모든 클래스", "Sky → Building", "이미지: 고주파", "Pole: 경계", "작은 박스", "FD_seg"} <= labels


@pytest.mark.parametrize(
    ("note", "english"),
    [
        (
            Finding.of("audits.note_flips"),
            "Flips were not measured: no segmenter was trained on the real set or could read the images, or the source "
            "has no masks.",
        ),
        (
            Finding.of("audits.note_recall"),
            "Recall was not measured: no detector was trained on the real set or could read the images, or the source "
            "has no boxes.",
        ),
        (
            Finding.of("audits.note_gap"),
            "Gap and distances were not measured: each set needs two images at least.",
        ),
        (
            Finding.of("audits.note_doubted", share=0.124),
            "The judge reads only 12.4 % of the benchmark's pixels rightly: its errors are warnings here, and no image "
            "is left out on its word.",
        ),
        (
            Finding.of("audits.note_nothing"),
            "The judge reads nothing in the source rightly, so that there is nothing to flip.",
        ),
        (
            Finding.of("audits.note_poor", share=0.41),
            "The judge reads only 41.0 % of the source's pixels rightly: its flips say little; audit.judge_iterations "
            "trains it longer.",
        ),
        (
            Finding.of("audits.note_features", why=Finding.of("audits.features_few")),
            "Distances and map on the segmenter's features were left out: the segmenter has read less than two images "
            "of a set.",
        ),
    ],
)
def test_notes_are_said_in_every_language(note: Finding, english: str) -> None:
    assert say(note) == english
    with speaking("ko"):
        korean = say(note)
    assert foreign(korean.replace("audit.judge_iterations", "")) == set()
    assert figures(korean) == figures(english)
    assert Finding.model_validate_json(note.model_dump_json()) == note

"""The audit's checks in words: in English what the audit itself says, in Korean the same figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from tasks.audit import checks
from tasks.audit.config import AuditConfig, Thresholds
from tasks.audit.flips import FlipsFound
from tasks.catalogue.language import speaking
from tasks.contracts.audit import Audit, AuditCheck, ClassFlips
from tasks.report.checking import check_label, check_sentence, recognised, subject_label
from tests.report.findings import audit, rate

LOOSE = dict.fromkeys(("colour", "geometry", "distance"), 99.0)
LOOSE |= dict.fromkeys(("flips", "flips_error", "flipped_image", "flipped_images", "detail", "recall"), 1.0)
STRICT = dict.fromkeys(LOOSE, 0.001)
NOTES = (
    "Flips were not measured: no segmenter was trained on the real set, or the source has no masks.",
    "Recall was not measured: no detector was trained on the real set, or the source has no boxes.",
    "Gap and distances were not measured: each set needs two images at least.",
    "The judge reads only 12.4 % of the benchmark's pixels rightly: its errors are warnings here, and no image is left "
    "out on its word.",
    "The judge reads nothing in the source rightly, so that there is nothing to flip.",
    "The judge reads only 41.0 % of the source's pixels rightly: its flips say little; audit.judge_iterations "
    "trains it longer.",
    "Distances and map on the segmenter's features were left out: the segmenter has read less than two images of a "
    "set.",
)


def everything(thresholds: dict[str, float], on_fail: str = "drop") -> tuple[Audit, list[AuditCheck]]:
    """An audit and all checks of it, made by the audit's own code."""
    config = AuditConfig(thresholds=Thresholds(**thresholds), on_fail=on_fail)  # type: ignore[arg-type]
    found = audit(checks=())
    assert found.flips
    assert found.gap
    lost = ClassFlips(name="Kerb", pixels=500_000, rate=rate(1.0), to={})
    flips = found.flips.model_copy(update={"classes": (*found.flips.classes, lost)})
    found = found.model_copy(update={"flips": flips})
    counts = np.ones((3, 4, 4), np.int64)
    judged = FlipsFound(flips, ("a", "b", "c"), np.array([0.4, 0.01, 0.0]), counts)
    limits = config.thresholds
    made = [
        *checks.flips_checks(judged, config),
        *checks.detail_checks(found.detail, {}, limits),
        *checks.recall_checks(found.recall, limits),
        *checks.colour_checks(found.gap, lambda _: {}, limits),
        *checks.distance_checks(found.distances, limits),
        *checks.geometry_checks(["a"], np.array([2.34]), limits),
    ]
    return found.model_copy(update={"checks": tuple(made)}), made


def figures(text: str) -> list[str]:
    return sorted(re.findall(r"\d[\d.,]*\d|\d", text))


@pytest.mark.parametrize("thresholds", [LOOSE, STRICT])
@pytest.mark.parametrize("on_fail", ["drop", "keep_source", "stop"])
def test_every_check_says_what_the_audit_says(thresholds: dict[str, float], on_fail: str) -> None:
    whole, made = everything(thresholds, on_fail)
    assert {c.passed for c in made} == {thresholds is LOOSE}
    assert {c.name for c in made} == {
        *("flips", "flipped images", "detail", "recall", "colour", "distance", "geometry"),
    }
    for check in made:
        said = check_sentence(check, whole).replace("2.34 px", "2.3 px")  # two digits in the audit's own words
        assert said == check.message
        with speaking("ko"):
            korean = check_sentence(check, whole)
        assert korean != check.message
        assert figures(korean.replace("2.34", "2.3")) == figures(check.message)


def test_what_an_audit_lacks_is_said_in_its_own_words() -> None:
    _, made = everything(STRICT)
    bare = audit(judged=False, checks=()).model_copy(update={"distances": ()})
    with speaking("ko"):
        said = {c.name for c in made if check_sentence(c, bare) == c.message}
    assert said == {"flips", "recall", "colour", "distance"}
    strange = made[0].model_copy(update={"name": "sharpness", "subject": "lanes"})
    assert check_sentence(strange, bare) == strange.message
    assert (check_label("sharpness"), subject_label(strange)) == ("sharpness", "lanes")


def test_names_and_subjects() -> None:
    _, made = everything(LOOSE)
    assert all(check_label(c.name) == c.name for c in made)
    assert all(subject_label(c) == c.subject for c in made)
    with speaking("ko"):
        korean = {(c.name, c.subject): subject_label(c) for c in made}
        assert check_label("flipped images") == "뒤바뀐 이미지"
    assert korean["flips", "all classes"] == "모든 클래스"
    assert korean["flips", "Sky -> Building"] == "Sky -> Building"
    assert korean["detail", "image: high band"] == "이미지: 고주파"
    assert korean["detail", "Pole: edges"] == "Pole: 경계"
    assert korean["recall", "small"] == "작은 박스"


def korean_notes(notes: Iterable[str]) -> Iterator[str | None]:
    with speaking("ko"):
        yield from [recognised("audits.note_", note) for note in notes]


def test_notes_are_recognised_by_their_english_words() -> None:
    assert [recognised("audits.note_", note) for note in NOTES] == list(NOTES)
    told = list(korean_notes(NOTES))
    assert all(told)
    assert not any(re.search(r"[A-Za-z]{4}", (text or "").replace("audit.judge_iterations", "")) for text in told)
    assert figures(told[3] or "") == ["12.4"]
    assert list(korean_notes(["something else."])) == [None]

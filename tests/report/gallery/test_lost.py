"""Lost signs: the worst first, at their own scale, marked without being hidden."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tasks.report.gallery.lost import CROP
from tasks.report.gallery.marks import STRIKING, corners
from tests.report.findings import audit
from tests.report.gallery.conftest import LEFT_SIGN, NAMES, World, detail_check, street

Make = Callable[..., World]


def test_the_flattened_sign_comes_first_and_signs_before_poles(world: Make) -> None:
    (grid,), problems = world().drawn("lost")
    assert problems == []
    assert grid.rows[0].id == "SignSymbol, 1"
    kept = [float(r.pictures[1].caption.split(", ")[1].split(" %")[0]) for r in grid.rows]
    assert kept[0] < 40
    names = [r.id.split(",")[0] for r in grid.rows]
    assert names == sorted(names, reverse=True)  # SignSymbol before Pole
    of_signs = [k for k, name in zip(kept, names, strict=True) if name == "SignSymbol"]
    assert of_signs == sorted(of_signs)


def test_at_most_two_crops_of_an_image(world: Make) -> None:
    (grid,), _ = world().drawn("lost", lost_rows=50)
    ids = [r.id.split(", ")[1] for r in grid.rows]
    assert max(map(ids.count, ids)) <= 2


def test_crops_are_the_images_own_pixels(world: Make) -> None:
    (grid,), _ = world().drawn("lost")
    before, after = grid.rows[0].pictures
    assert before.sharp
    assert after.sharp
    assert before.pixels is not None
    assert before.pixels.shape == (CROP, CROP, 3)
    rows, columns = LEFT_SIGN
    inside = before.pixels[rows, columns]  # the sign is so near to the corner that the crop begins at 0, 0
    assert np.array_equal(inside, street()[LEFT_SIGN])
    assert not np.array_equal(before.pixels, street()[:CROP, :CROP])  # the marks


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ((20, 20, 70, 80), {(False, False), (False, True), (True, False), (True, True)}),
        ((0, 0, 10, 10), {(False, False)}),
        ((-30, 10, 80, 200), {(False, False), (False, True), (True, False), (True, True)}),
        ((90, 90, 96, 96), {(True, True)}),
    ],
)
def test_marks_do_not_hide_what_they_mark(box: tuple[int, int, int, int], wanted: set[tuple[bool, bool]]) -> None:
    crop = np.full((CROP, CROP, 3), 120, np.uint8)
    marked = corners(crop, box)
    x1, y1, x2, y2 = (min(max(2, v), CROP - 2) for v in box)  # the rim apart, where the box leaves the crop
    assert (marked[y1:y2, x1:x2] == 120).all()
    marks = np.argwhere((marked == STRIKING).all(-1))
    assert {(int(y) > CROP // 2, int(x) > CROP // 2) for y, x in marks} >= wanted


def test_an_image_smaller_than_a_crop_is_shown_whole(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.report.gallery.lost.CROP", 500)
    (grid,), _ = world().drawn("lost")
    assert grid.rows[0].pictures[0].pixels.shape == street().shape  # type: ignore[union-attr]


def test_nothing_listed_is_nothing_shown(world: Make) -> None:
    assert world(found=audit(classes=NAMES)).drawn("lost") == ([], [])
    found = audit(classes=NAMES, checks=[detail_check(None, ("0", "1")), detail_check("no class", ("0",))])
    assert world(found=found).drawn("lost") == ([], [])
    assert world().drawn("lost", lost_rows=0)[0] == []


def test_a_translation_of_another_size_is_a_problem_and_no_failure(world: Make) -> None:
    from PIL import Image

    run = world()
    record = run.record()
    Image.fromarray(street()[:50]).save(record.translated["cut"].file("images/1.png"))
    (grid,), problems = run.drawn("lost", record)
    assert all("1" not in r.id.split(", ")[1] for r in grid.rows)
    assert any("images/1.png" in p and "160x50" in p for p in problems)

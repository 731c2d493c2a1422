"""The worst flips: which images, what is outlined, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tasks.report.gallery.marks import STRIKING
from tests.report.findings import audit
from tests.report.gallery.conftest import FLIPPED, HEIGHT, NAMES, WIDTH, World, inputs

Make = Callable[..., World]


def striking(pixels: np.ndarray) -> np.ndarray:
    return (np.abs(pixels.astype(int) - STRIKING) < 60).all(-1)


def test_the_worst_flip_is_shown_and_specks_are_passed_over(world: Make) -> None:
    (grid,), problems = world().drawn("flips")
    assert problems == []
    assert (grid.translator, len(grid.columns)) == ("cut", 4)
    assert [row.id for row in grid.rows] == ["2"]  # 3 has a larger share, in specks alone; 0 and 1 have none
    captions = [p.caption for p in grid.rows[0].pictures]
    assert captions == ["2", "30.0 % flipped, Tree → Building", "Tree", "Building"]
    assert [e.name for e in grid.legend] == list(NAMES)


def test_exactly_the_flipped_region_is_outlined(world: Make) -> None:
    (grid,), _ = world().drawn("flips")
    for picture in grid.rows[0].pictures[:2]:
        assert picture.pixels is not None
        times = picture.pixels.shape[1] // WIDTH
        assert picture.pixels.shape == (HEIGHT * times, WIDTH * times, 3)
        rows, columns = np.nonzero(striking(picture.pixels))
        for found, wanted in ((rows, FLIPPED[0]), (columns, FLIPPED[1])):
            assert found.min() == pytest.approx(wanted.start * times, abs=4)
            assert found.max() == pytest.approx(wanted.stop * times, abs=4)


def test_the_worst_come_first_and_no_more_than_asked(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.report.gallery.flips._SPECK", 1e-5)
    assert [row.id for row in world().drawn("flips")[0][0].rows] == ["3", "2"]
    assert [row.id for row in world().drawn("flips", flip_rows=1)[0][0].rows] == ["3"]
    assert world().drawn("flips", flip_rows=0)[0] == []


def test_how_well_the_judge_reads_real_images_is_said(world: Make) -> None:
    found = audit(classes=NAMES)
    assert found.flips is not None
    known = found.model_copy(update={"flips": found.flips.model_copy(update={"real_miou": 0.618})})
    assert "61.8 % mIoU" in world(found=known).drawn("flips")[0][0].note
    assert "mIoU" not in world(found=audit(classes=NAMES, judged=False), judges=()).drawn("flips")[0]


def test_without_a_judge_there_are_no_flips_and_no_problem(world: Make) -> None:
    assert world(judges=()).drawn("flips") == ([], [])


@pytest.mark.parametrize(("role", "column"), [("judged_source", 2), ("judged_translated", 3)])
def test_a_lost_prediction_costs_its_picture_and_the_outline(world: Make, role: str, column: int) -> None:
    run = world()
    record = run.record()
    (inputs(record, role) / "predictions/2.png").unlink()
    (grid,), _ = run.drawn("flips", record)
    row = next(r for r in grid.rows if r.id == "2")
    assert "not outlined, 2.png: no such file" in row.pictures[1].caption
    assert row.pictures[0].image is not None
    assert row.pictures[column].label is not None

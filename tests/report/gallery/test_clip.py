"""The clip: which frames, and that no frame costs it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tasks.report.config import ReportConfig
from tasks.report.gallery.clip import _drive
from tasks.report.gallery.marks import writable
from tasks.report.gallery.sets import Sets
from tasks.report.reading import Reader
from tests.report.gallery.conftest import HEIGHT, WIDTH, World

Make = Callable[..., World]


def frames(run: World, **config: object) -> np.ndarray:
    (grid,), problems = run.drawn("clip", **config)
    assert problems == []
    pixels = grid.rows[0].pictures[0].frames
    assert pixels is not None
    return pixels


def test_a_drive_is_shown_side_by_side(world: Make) -> None:
    run = world()
    (grid,), _ = run.drawn("clip")
    picture = grid.rows[0].pictures[0]
    assert picture.frames is not None
    assert picture.frames.shape[:1] == (4,)
    assert picture.frames.shape[2] == 2 * WIDTH + 4
    assert picture.frames.shape[1] > HEIGHT  # the headings
    assert 3 <= picture.rate <= 5
    assert "drive drive" in grid.note
    assert "Simulator, cut" in picture.caption


def test_without_a_drive_images_from_all_over_are_shown_slowly(world: Make) -> None:
    run = world(sequences=("a", "b", None, "c"), images=9)
    (grid,), _ = run.drawn("clip", clip_frames=3)
    picture = grid.rows[0].pictures[0]
    assert picture.rate == 1
    assert picture.frames is not None
    assert len(picture.frames) == 3
    assert "Not a drive" in grid.note


def test_the_longest_sequence_is_taken_from_its_middle(world: Make) -> None:
    run = world(sequences=(*("a",) * 4, *("b",) * 8, None, None), images=14)
    sets = Sets.read(run.record(), ReportConfig(), Reader())
    assert sets.source is not None
    ids = sets.source.ids
    assert _drive(sets.source, ids, 4) == (["6", "7", "8", "9"], "b")
    assert _drive(sets.source, ids, 60) == ([str(i) for i in range(4, 12)], "b")
    assert _drive(sets.source, ids[:3], 4) == ([], "")


@pytest.mark.parametrize(("translators", "columns", "rows"), [(1, 2, 1), (2, 3, 1), (3, 2, 2), (5, 3, 2)])
def test_panels_are_tiled(world: Make, translators: int, columns: int, rows: int) -> None:
    pixels = frames(world(translators=[f"t{i}" for i in range(translators)]))
    assert pixels.shape[2] == columns * WIDTH + (columns - 1) * 4
    assert pixels.shape[1] == pytest.approx(rows * HEIGHT, abs=30 * rows)


def test_a_frame_that_cannot_be_read_is_left_out(world: Make) -> None:
    run = world()
    record = run.record()
    record.translated["cut"].file("images/1.png").write_bytes(b"no image")
    (grid,), problems = run.drawn("clip", record)
    assert grid.rows[0].pictures[0].frames.shape[0] == 3  # type: ignore[union-attr]
    assert "1 frame could not be read" in grid.note
    assert any("images/1.png" in p for p in problems)


def test_a_clip_without_frames_is_a_placeholder(world: Make) -> None:
    run = world()
    record = run.record()
    for i in range(4):
        record.source.file(f"images/{i}.png").unlink()
    (grid,), _ = run.drawn("clip", record)
    assert grid.rows[0].pictures[0].missing


def test_no_translator_no_clip(world: Make) -> None:
    assert world(translators=()).drawn("clip")[0] == []
    assert world().drawn("clip", clip_frames=0)[0] == []
    assert world(translators=("identity",)).drawn("clip")[0] == []


def test_headings_are_drawn_in_letters_that_the_font_has(world: Make) -> None:
    assert writable("reinhard-é")
    assert not writable("변환")
    korean, english = frames(world(), language="ko"), frames(world(), language="en")
    assert np.array_equal(korean, english)

"""The strip on top of the page: one scene through every translator, and the real image that is most alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.report.gallery.conftest import HEIGHT, WIDTH, World, inputs

Make = Callable[..., World]


def test_the_same_scene_stands_in_every_column(world: Make) -> None:
    (grid,), problems = world(translators=("cut", "fda")).drawn("strip")
    assert problems == []
    assert grid.columns == ("Simulator", "Translated (cut)", "Translated (fda)", "Nearest real")
    (row,) = grid.rows
    assert [p.caption for p in row.pictures[:-1]] == [row.id] * 3
    assert "features" in grid.note


def test_a_translator_that_changes_nothing_has_no_column(world: Make) -> None:
    (grid,), _ = world(translators=("identity", "cut")).drawn("strip")
    assert grid.columns == ("Simulator", "Translated (cut)", "Nearest real")
    assert world(translators=("identity",)).drawn("strip")[0] == []


def test_nearest_is_by_the_place_in_its_own_set(world: Make) -> None:
    """Scene 2 lies farthest up in the source as image 3 does in the real set, which has another mean and scale."""
    run = world(real_features=[(100, 0), (101, 0), (100, 1), (160, 1)])
    run.source_features = [(0, 5), (0.1, 5), (6, 6), (0, 5)]
    (grid,), _ = run.drawn("strip", strip_rows=4)
    found = {row.id: row.pictures[-1].caption for row in grid.rows}
    assert found["2"] == "3"
    assert len(found) == 4


def test_without_features_it_is_by_colours_and_where_they_lie(world: Make) -> None:
    run = world(judges=())
    record = run.record()
    shades = [0, 60, 120, 250]
    for index, shade in enumerate(shades):
        image = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
        Image.fromarray(image).save(record.target.file(f"images/{index}.png"))
        Image.fromarray(image // 2 + 20).save(record.source.file(f"images/{3 - index}.png"))
    (grid,), problems = run.drawn("strip", record, strip_rows=4)
    assert problems == []
    assert {row.id: row.pictures[-1].caption for row in grid.rows} == {"0": "3", "1": "2", "2": "1", "3": "0"}
    assert "colours" in grid.note


@pytest.mark.parametrize("role", ["judged_source", "judged_real"])
def test_damaged_features_fall_back_and_are_told(world: Make, role: str) -> None:
    run = world()
    record = run.record()
    path = inputs(record, role) / "features.parquet"
    path.write_bytes(path.read_bytes()[:50])
    (grid,), problems = run.drawn("strip", record)
    assert "colours" in grid.note
    assert len(problems) == 1


def test_none_where_none_is_wanted(world: Make) -> None:
    assert world().drawn("strip", strip_rows=0)[0] == []

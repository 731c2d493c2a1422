"""The data sets side by side: heat maps that mean the same everywhere, and why there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tasks.datasets.priors import heat_map
from tests.report.gallery.conftest import HEIGHT, WIDTH, World, label

Make = Callable[..., World]


def test_every_class_that_a_set_shows_has_a_row(world: Make) -> None:
    (grid,), problems = world().drawn("datasets")
    assert problems == []
    assert [r.id for r in grid.rows] == ["Image", "road", "Tree", "Building", "SignSymbol", "Pole"]
    assert grid.columns == ("Source: sim, 4 images", "Target: city, 4 images", "Benchmark: bench, 4 images")
    assert all(len(r.pictures) == 3 for r in grid.rows)
    share = (label() == 0).mean()
    assert {p.caption for p in grid.rows[1].pictures} == {f"road, {100 * share:.1f} %"}


def test_a_heat_map_is_bright_where_the_class_is(world: Make) -> None:
    (grid,), _ = world().drawn("datasets")
    road = grid.rows[1].pictures[0].pixels
    assert road is not None
    assert road.shape[1] / road.shape[0] == pytest.approx(WIDTH / HEIGHT, rel=0.05)
    dark, bright = (heat_map(np.array([[v]], np.float32))[0, 0].tolist() for v in (0, 1))
    assert road[-5, 80].tolist() == bright
    assert road[5, 10].tolist() == dark
    assert [grid.legend[0].color, grid.legend[-1].color] == [tuple(dark), tuple(bright)]


def test_examples_and_maps_can_be_left_out(world: Make) -> None:
    (grid,), _ = world().drawn("datasets", prior_images=0, example_rows=2)
    assert [r.id for r in grid.rows] == ["Image", "Image"]
    assert grid.legend == ()


def test_masks_that_cannot_be_read_are_counted(world: Make) -> None:
    run = world()
    record = run.record()
    record.target.file("masks/0.png").write_bytes(b"")
    (grid,), problems = run.drawn("datasets", record)
    assert problems == ["1 mask of city could not be read: the spatial priors are without it."]
    assert grid.rows[1].pictures[1].pixels is not None
    for path in Path(record.target.path).glob("masks/*.png"):
        path.unlink()
    (grid,), problems = run.drawn("datasets", record)
    assert "4 masks of city" in problems[0]
    assert {r.pictures[1].missing for r in grid.rows[1:]} == {"none of its masks could be read"}


def test_a_lost_table_costs_its_column(world: Make) -> None:
    run = world()
    record = run.record()
    record.target.file("samples.parquet").unlink()
    (grid,), problems = run.drawn("datasets", record)
    assert len(grid.columns) == 2
    assert len(problems) == 1

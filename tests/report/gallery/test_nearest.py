"""The nearest real images: by the frozen features, whatever the scale of an axis."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.report.gallery.conftest import World, inputs

Make = Callable[..., World]


def nearest(run: World, **config: int) -> dict[str, list[str]]:
    (grid,), problems = run.drawn("nearest", **config)
    assert problems == []
    return {r.id: [p.caption.split(" (")[0] for p in r.pictures[2:]] for r in grid.rows}


def test_axes_count_alike_whatever_their_scale(world: Make) -> None:
    found = nearest(world(), nearest_rows=4)
    assert {i: ids[0] for i, ids in found.items()} == {"0": "1", "1": "2", "2": "3", "3": "0"}
    assert all(len(ids) == 3 for ids in found.values())


def test_nearer_images_come_first_and_distances_are_told(world: Make) -> None:
    (grid,), _ = world().drawn("nearest")
    assert len(grid.columns) == 5
    for row in grid.rows:
        told = [float(p.caption.split("(")[1].rstrip(")")) for p in row.pictures[2:]]
        assert told == sorted(told)
    assert "Euclidean" in grid.note


def test_images_are_chosen_evenly(world: Make) -> None:
    run = world(images=9)
    assert list(nearest(run, nearest_rows=3)) == ["1", "4", "7"]
    assert run.drawn("nearest", nearest_rows=0)[0] == []


def test_fewer_real_images_than_neighbours(world: Make) -> None:
    run = world(images=2)
    (grid,), _ = run.drawn("nearest")
    assert all(len(r.pictures) == len(grid.columns) == 4 for r in grid.rows)


def test_an_axis_that_never_varies_does_not_divide_by_zero(world: Make) -> None:
    run = world(real_features=[(0, 5), (1, 5), (2, 5), (3, 5)], features=[(0, 5), (1, 5), (2, 5), (3, 5)])
    assert [ids[0] for ids in nearest(run, nearest_rows=4).values()] == ["0", "1", "2", "3"]


def test_without_a_judge_there_is_no_strip_and_no_problem(world: Make) -> None:
    assert world(judges=()).drawn("nearest") == ([], [])


def test_a_segmenter_that_left_no_features_is_no_problem(world: Make) -> None:
    run = world()
    record = run.record()
    for role in ("judged_real", "judged_translated"):
        folder = inputs(record, role)
        text = (folder / "artifact.json").read_text()
        (folder / "artifact.json").write_text(text.replace("features.parquet", "other.parquet"))
        (folder / "features.parquet").unlink()
    assert run.drawn("nearest", record) == ([], [])


@pytest.mark.parametrize("role", ["judged_real", "judged_translated"])
@pytest.mark.parametrize("damage", ["lost", "cut", "other", "ragged", "nan"])
def test_features_that_cannot_be_read_are_a_problem(world: Make, role: str, damage: str) -> None:
    run = world()
    record = run.record()
    path = inputs(record, role) / "features.parquet"
    ids = ["0", "1", "2", "3"]
    tables = {
        "other": pa.table({"id": ids}),
        "ragged": pa.table({"id": ids, "feature": [[0.0], [1.0, 2.0], [1.0], [1.0]]}),
        "nan": pa.table({"id": ids, "feature": [[float("nan")] * 2] * 4}),
    }
    if damage == "lost":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:50])
    else:
        pq.write_table(tables[damage], path)
    grids, problems = run.drawn("nearest", record)
    assert grids == []
    assert len(problems) == 1
    assert "features.parquet" in problems[0]
    assert str(run.root) not in problems[0]


def test_features_of_another_network_are_a_problem(world: Make) -> None:
    run = world(features=[(1, 2, 3)])
    grids, problems = run.drawn("nearest")
    assert grids == []
    assert "3 values an image, and those of the real set 2" in problems[0]


def test_a_judge_that_is_no_longer_in_the_store_is_a_problem(world: Make) -> None:
    import shutil

    run = world()
    record = run.record()
    shutil.rmtree(inputs(record, "judged_real"))
    grids, problems = run.drawn("nearest", record)
    assert grids == []
    assert any("no longer in the store" in p for p in problems)

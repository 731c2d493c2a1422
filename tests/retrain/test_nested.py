"""So many images of a set: part of a larger draw, of every sequence its share, and never more than there are."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tasks.contracts.artifact import Artifact
from tasks.datasets.table import SampleTable
from tasks.retrain.nested import drawn_table, nested
from tasks.retrain.suitable import TrainingError


@pytest.fixture(scope="module")
def drives(squares: Artifact, tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    """200 images of three drives: 120, 60 and 20 long."""
    first = SampleTable.read(squares.path)[0]
    lengths = {"a": 120, "b": 60, "c": 20}
    rows = (replace(first, id=f"{d}{i:03}", sequence=d) for d, n in lengths.items() for i in range(n))
    return SampleTable.from_samples(rows, SampleTable.read(squares.path).info, tmp_path_factory.mktemp("drives"))


def ids(table: SampleTable) -> list[str]:
    return table.rows["id"].to_pylist()


def test_a_smaller_draw_is_part_of_a_larger_one(drives: SampleTable) -> None:
    draws = [ids(nested(drives, n, 3)) for n in (1, 10, 50, 100, 199, 200)]
    assert [len(draw) for draw in draws] == [1, 10, 50, 100, 199, 200]
    assert all(set(small) < set(large) for small, large in pairwise(draws))
    assert all(draw == sorted(draw) for draw in draws)
    assert draws[-1] == ids(drives)


def test_every_sequence_has_its_share(drives: SampleTable) -> None:
    for seed in range(20):
        for n in (10, 50, 100):
            counts = Counter(name[0] for name in ids(nested(drives, n, seed)))
            assert {
                d: abs(counts[d] - n * length / 200) <= 1.5 for d, length in (("a", 120), ("b", 60), ("c", 20))
            } == {
                "a": True,
                "b": True,
                "c": True,
            }, (seed, n, counts)


def test_the_draw_is_the_seeds(drives: SampleTable) -> None:
    assert ids(nested(drives, 50, 1)) == ids(nested(drives, 50, 1))
    assert ids(nested(drives, 50, 1)) != ids(nested(drives, 50, 2))


def test_images_without_sequences_are_drawn_one_by_one(squares: Artifact) -> None:
    draws = [ids(drawn_table(squares.path, "masks", 3, seed)) for seed in range(60)]
    assert {len(draw) for draw in draws} == {3}
    assert {name for draw in draws for name in draw} == {str(i) for i in range(8)}


def test_only_labelled_images_are_drawn_and_no_more_than_there_are(squares: Artifact, tmp_path: Path) -> None:
    table = SampleTable.read(squares.path)
    rows = [replace(s, boxes=None) if int(s.id) % 2 else s for s in table]
    SampleTable.from_samples(rows, table.info, tmp_path).write(tmp_path)
    assert ids(drawn_table(tmp_path, "boxes", 4)) == ["0", "2", "4", "6"]
    assert len(drawn_table(tmp_path, "boxes")) == 4
    with pytest.raises(TrainingError, match=r"5 images of 'squares' are asked for, which has 4 with boxes"):
        drawn_table(tmp_path, "boxes", 5)

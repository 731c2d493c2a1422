"""Choosing among the images of a set: by pattern, by shares of whole sequences, by draws."""

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tables import synthetic_table
from tasks.contracts.finding import Finding
from tasks.datasets import select
from tasks.datasets.config import FolderDataset
from tasks.datasets.errors import DatasetError, ItemError
from tasks.datasets.items import Item
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo

INFO = TableInfo(
    dataset="made",
    classes=tuple(SegmentationClass(name=n, color=(0, 0, 0)) for n in ("road", "car", "rider")),
    detection=("car", "bus"),
    encoding=None,
    boxes_from="annotated",
)


def sample(
    id_: str,
    split: str = "train",
    sequence: str | None = None,
    pixels: tuple[int, ...] | None = None,
    boxes: tuple[int, ...] | None = None,
) -> Sample:
    made = None if boxes is None else tuple(Box(c, 0, 0, 4, 4) for c in boxes)
    path = Path(f"{id_}.png")
    return Sample(id_, path, None, 8, 8, split, "", None, made, sequence=sequence, class_pixels=pixels)


def table(*samples: Sample) -> SampleTable:
    return SampleTable.from_samples(samples, INFO, Path("/data"))


def ids(of: SampleTable) -> list[str]:
    return [s.id for s in of]


def test_a_table_of_samples_gives_them_back() -> None:
    given = [
        sample("a", boxes=(), pixels=(1, 2, 3)),
        sample("b", boxes=(1, 0), sequence="s"),
        sample("c", pixels=(0, 0, 0)),
    ]
    assert list(table(*given)) == [replace(s, image=Path("/data") / s.image) for s in given]
    assert len(table()) == 0


def test_divide_keeps_sequences_whole_and_comes_near_the_shares() -> None:
    rng = np.random.default_rng(3)
    groups = [f"s{n:02d}" for n in range(50) for _ in range(rng.integers(1, 40))]
    split_of = select.divide(groups, {"train": 0.7, "val": 0.2, "test": 0.1}, seed=0)
    assert split_of.keys() == set(groups)
    share = {split: n / len(groups) for split, n in Counter(split_of[g] for g in groups).items()}
    longest = max(Counter(groups).values()) / len(groups)
    assert share == pytest.approx({"train": 0.7, "val": 0.2, "test": 0.1}, abs=longest)


def test_divide_depends_on_the_seed_and_not_on_the_order() -> None:
    groups = [f"s{n}" for n in range(20)]
    shares = {"train": 0.5, "val": 0.5}
    assert select.divide(groups, shares, 1) == select.divide(groups[::-1], shares, 1)
    assert select.divide(groups, shares, 1) != select.divide(groups, shares, 2)


@pytest.mark.parametrize("seed", range(5))
def test_divide_leaves_no_split_empty(seed: int) -> None:
    groups = ["long"] * 1000 + ["short", "shorter"]
    split_of = select.divide(groups, {"train": 0.98, "val": 0.01, "test": 0.01}, seed)
    assert sorted(split_of.values()) == ["test", "train", "val"]


def test_divide_refuses_fewer_sequences_than_splits() -> None:
    with pytest.raises(DatasetError, match=r"2 sequences cannot be divided into 3 splits \(train, val, test\)"):
        select.divide(["a", "a", "b"], {"train": 0.6, "val": 0.2, "test": 0.2}, 0)


def test_divided_renames_the_split_and_loses_nothing() -> None:
    whole = table(*(sample(f"{n:02d}", "all", f"s{n // 4}" if n < 16 else None) for n in range(20)))
    parts = select.divided(whole, {"train": 0.6, "val": 0.4})
    assert sorted(ids(parts["train"]) + ids(parts["val"])) == ids(whole)
    for name, part in parts.items():
        assert {s.split for s in part} == {name}
        assert ids(part) == sorted(ids(part))
    drives = [{s.sequence for s in part} - {None} for part in parts.values()]
    assert drives[0].isdisjoint(drives[1])
    assert len(parts["train"]) == pytest.approx(12, abs=2)  # sequences of 4, and 4 images that stand for themselves


def test_filtered_by_split_and_glob() -> None:
    whole = table(sample("a_1"), sample("a_2", "val"), sample("b_1"), sample("b.1", "val"), sample("A_1"))
    assert ids(select.filtered(whole)) == ids(whole)
    assert ids(select.filtered(whole, split="val")) == ["a_2", "b.1"]
    assert ids(select.filtered(whole, include="?_1")) == ["a_1", "b_1", "A_1"]
    assert ids(select.filtered(whole, include="*[ab]*_*1*")) == ["a_1", "b_1"]
    assert ids(select.filtered(whole, include="b.1")) == ["b.1"]
    assert ids(select.filtered(whole, "train", "a*")) == ["a_1"]
    assert ids(select.filtered(whole, include="c*")) == []
    assert ids(select.filtered(select.filtered(whole, include="c*"), include="*")) == []


def test_subset_keeps_order_and_follows_the_seed() -> None:
    whole = table(*(sample(f"{n:03d}") for n in range(100)))
    drawn = ids(select.subset(whole, 10, seed=1))
    assert len(set(drawn)) == 10
    assert drawn == sorted(drawn) == ids(select.subset(whole, 10, seed=1))
    assert drawn != ids(select.subset(whole, 10, seed=2))
    assert ids(select.subset(whole, 100)) == ids(select.subset(whole, 500)) == ids(whole)


def test_presence_is_of_pixels_and_of_boxes() -> None:
    whole = table(
        sample("a", pixels=(5, 0, 1), boxes=(1,)),
        sample("b", pixels=(0, 0, 0), boxes=()),
        sample("c", boxes=(0, 0, 1)),
        sample("d", pixels=(0, 2, 0)),
    )
    shown = [[1, 0, 1, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]]
    np.testing.assert_array_equal(select.presence(whole), np.array(shown, bool))
    np.testing.assert_array_equal(select.presence(whole.take([3, 0])), np.array(shown, bool)[[3, 0]])
    sliced = SampleTable(whole.rows.slice(2), whole.info, whole.folder)
    np.testing.assert_array_equal(select.presence(sliced), np.array(shown, bool)[2:])
    assert not select.presence(table(sample("a"))).any()


def test_a_stratified_draw_shows_rare_classes() -> None:
    pixels = [(9, 1, 0)] * 960 + [(9, 0, 3)] * 40
    whole = table(*(sample(f"{n:04d}", pixels=p, boxes=(1,) if n == 7 else ()) for n, p in enumerate(pixels)))
    drawn = select.subset(whole, 20, seed=0, draw="stratified")
    assert ids(drawn) == sorted(ids(drawn)) == ids(select.subset(whole, 20, seed=0, draw="stratified"))
    assert ids(drawn) != ids(select.subset(whole, 20, seed=1, draw="stratified"))
    assert "0007" in ids(drawn)  # the only bus
    assert select.presence(drawn).sum(axis=0).tolist() == [20, 10, 10, 0, 1]


def test_a_stratified_draw_fills_up_with_images_that_show_nothing() -> None:
    shown = np.zeros((10, 2), bool)
    shown[4] = True
    chosen = select.stratified(shown, 6, seed=0)
    assert len(set(chosen.tolist())) == 6
    assert 4 in chosen
    assert select.stratified(shown, 50, seed=0).tolist() == list(range(10))


def item(id_: str, sequence: str | None = None) -> Item:
    return Item(id_, Path(f"{id_}.png"), None, None, sequence=sequence)


def config(**values: object) -> FolderDataset:
    return FolderDataset.model_validate({"format": "folder", "name": "made", "root": "/data", **values})


def test_wanted_takes_the_share_of_the_split() -> None:
    items = [item(f"{n:02d}", f"s{n // 5}") for n in range(20)][::-1]
    shares = {"train": 0.5, "val": 0.5}
    train, val = (select.wanted(items, config(split=s, shares=shares, seed=4), "there") for s in shares)
    assert (len(train), len(val)) == (10, 10)
    assert [i.id for i in sorted(train + val, key=lambda i: i.id)] == [f"{n:02d}" for n in range(20)]
    assert {i.sequence for i in train}.isdisjoint({i.sequence for i in val})
    assert [i.id for i in train] == sorted(i.id for i in train)


def test_wanted_by_glob_and_by_draw() -> None:
    items = [item(f"{drive}_{n}") for drive in "ab" for n in range(10)]
    chosen = select.wanted(items, config(include="b_*", images=3, seed=5), "there")
    assert len(chosen) == 3
    assert all(i.id.startswith("b_") for i in chosen)
    assert chosen == select.wanted(items[::-1], config(include="b_*", images=3, seed=5), "there")
    assert len(select.wanted(items, config(images=3, draw="stratified"), "there")) == 20  # drawn when labels are known
    with pytest.raises(DatasetError, match=r"include 'c_\*' matches none of 20 ids in there, such as a_0"):
        select.wanted(items, config(include="c_*"), "there")
    with pytest.raises(DatasetError, match="split 'train' of folder is empty: nothing in there"):
        select.wanted([], config(), "there")


def test_hundreds_of_thousands_of_rows_take_seconds(tmp_path: Path) -> None:
    whole = synthetic_table(200_000, 1000, tmp_path)
    start = time.perf_counter()
    parts = select.divided(whole, {"train": 0.8, "val": 0.1, "test": 0.1})
    assert [round(len(p) / len(whole), 2) for p in parts.values()] == [0.8, 0.1, 0.1]
    assert 0 < len(select.filtered(whole, "val", "*[13579]_*7")) < 10_000
    assert len(select.subset(whole, 10_000)) == 10_000
    drawn = select.presence(select.subset(whole, 10_000, draw="stratified"))
    shown = select.presence(whole)
    assert shown[:, 18].sum() < 100  # one class is in fewer images than its part of the draw, which are all drawn
    assert drawn[:, 18].sum() == shown[:, 18].sum()
    assert len(whole.labelled("boxes")) == 190_000
    assert time.perf_counter() - start < 20


def test_stray_files_are_in_every_share_and_match_by_their_own_name() -> None:
    odd = Item.unusable(ItemError(Path("/set/b_odd.png"), Finding.of("data.other_name", form="*.png"), "named"))
    items = [item(f"a_{n}", f"drive {n % 4}") for n in range(8)] + [odd]
    shares = {"train": 0.5, "val": 0.5}
    for split in shares:
        chosen = select.wanted(items, config(split=split, shares=shares), "there")
        assert odd in chosen
        assert len(chosen) == 5
    assert select.wanted(items, config(include="b_*"), "there") == [odd]
    assert odd not in select.wanted(items, config(include="a_*"), "there")

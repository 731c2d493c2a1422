import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from tasks.compute.turns import share_threads
from tasks.datasets.images import PixelError, read_image
from tasks.datasets.naming import usable_names
from tasks.datasets.table import SampleTable
from tasks.translate.apply import translate_table
from tasks.translate.methods.base import PerImage
from tasks.translate.networks.initial import initialise
from tasks.translate.networks.resnet import MULTIPLE, ResnetGenerator
from tasks.translate.networks.whole_image import WholeImageTranslator
from tasks.translate.sections.learned import MINIMUM

SIZES = [(40, 36), (40, 36), (41, 37), (19, 22), (40, 36), (40, 36), (40, 36)]


class Invert(PerImage):
    """Inverts colours; fails at one image where told to."""

    def __init__(self, fails: str | None = None) -> None:
        self.fails = fails
        self.seen: list[str] = []

    def translate(self, image, sample_id):
        if sample_id == self.fails:
            raise RuntimeError("killed")
        self.seen.append(sample_id)
        return 255 - image


def _network(batch_pixels: int = 1) -> WholeImageTranslator:
    network = ResnetGenerator(4, 1)
    initialise(network, torch.Generator().manual_seed(0), std=0.2)
    translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"))
    translator.batch_pixels = batch_pixels
    return translator


def test_labels_are_untouched_and_sizes_exact(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    out = tmp_path / "out"
    out.mkdir()
    assert translate_table(table, _network(), out, "net") == len(SIZES)
    result = SampleTable.read(out)
    assert result.info == table.info
    assert result.rows["image"].to_pylist() == [f"images/s{k}.png" for k in range(len(SIZES))]
    for before, after in zip(table, result, strict=True):
        assert read_image(after.image).shape == (before.height, before.width, 3)
        assert after.mask == before.mask
        assert after.mask.is_absolute()
        for name in ("id", "boxes", "split", "extra", "width", "height", "mask_sha256"):
            assert getattr(after, name) == getattr(before, name)
        assert after.sha256 != before.sha256
        assert not np.array_equal(read_image(after.image), read_image(before.image))


def test_killed_translation_goes_on_where_it_was(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(RuntimeError, match="killed"):
        translate_table(table, Invert(fails="s4"), out, "invert")
    done = {p: p.stat().st_mtime_ns for p in (out / "images").glob("*.png")}
    assert 0 < len(done) < len(SIZES)
    again = Invert()
    assert translate_table(table, again, out, "invert") == len(SIZES) - len(done)
    assert {p: p.stat().st_mtime_ns for p in done} == done
    assert sorted(again.seen) == sorted({s.id for s in table} - {p.stem for p in done})
    for before, after in zip(table, SampleTable.read(out), strict=True):
        assert np.array_equal(read_image(after.image), 255 - read_image(before.image))


def test_resumed_batches_give_the_same_pixels(make_table, tmp_path) -> None:
    table = make_table("s", sizes=SIZES)
    for name in ("whole", "resumed"):
        (tmp_path / name).mkdir()
        translate_table(table, _network(4 * 40 * 36), tmp_path / name, "net")
    (tmp_path / "resumed/images/s5.png").unlink()
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "resumed/images").iterdir()}
    assert translate_table(table, _network(4 * 40 * 36), tmp_path / "resumed", "net") == 1
    assert {p: p.stat().st_mtime_ns for p in kept} == kept
    for name in ("samples.parquet", *(f"images/s{k}.png" for k in range(len(SIZES)))):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "resumed" / name).read_bytes(), name


def test_small_images_are_named_before_anything_is_made(make_table, tmp_path) -> None:
    small = make_table("small", sizes=[(40, 40), (12, 40)])
    with pytest.raises(PixelError, match=r"small1.png: 12x40 is too small: 16 pixels a side are the least"):
        translate_table(small, _network(), tmp_path / "none", "net")
    assert not (tmp_path / "none").exists()


class Styles(PerImage):
    """Darkens an image as much as its id says: three styles."""

    variants = 3

    def translate(self, image, sample_id):
        return image // (2 + int(sample_id[-1]))


def test_variants_are_rows_of_their_own(make_table, tmp_path) -> None:
    table = make_table("s", 4)
    assert translate_table(table, Styles(), tmp_path, "styles") == 12
    result = list(SampleTable.read(tmp_path))
    assert [s.id for s in result] == [f"s{n}__v{k}" for n in range(4) for k in range(3)]
    for row, after in enumerate(result):
        before, k = table[row // 3], row % 3
        assert after.extra == {**before.extra, "variant": k, "of": before.id}
        assert (after.boxes, after.mask, after.split) == (before.boxes, before.mask, before.split)
        assert after.image == tmp_path / f"images/{before.id}__v{k}.png"
        assert np.array_equal(read_image(after.image), read_image(before.image) // (2 + k))
    (tmp_path / "images/s2__v1.png").unlink()
    assert translate_table(table, Styles(), tmp_path, "styles") == 1


class Seen(torch.nn.Module):
    """Changes nothing, and notes how many calls are in it at once, on how many threads each."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.seen: set[tuple[int, int]] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.inside += 1
        time.sleep(0.01)  # others come in meanwhile, if they may
        self.seen.add((self.inside, torch.get_num_threads()))
        self.inside -= 1
        return x


@pytest.mark.parametrize("threads", [1, 4])
def test_a_cpu_is_shared_by_two_images(make_table, tmp_path, monkeypatch, threads) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))  # as a lease does
    try:
        share_threads()
        network = Seen()
        translator = WholeImageTranslator(network, MULTIPLE, MINIMUM, torch.device("cpu"))
        translate_table(make_table("s", 12), translator, tmp_path, "net")
        assert {t for _, t in network.seen} == {max(1, threads // 2)}
        assert max(inside for inside, _ in network.seen) == min(2, threads)
    finally:
        torch.set_num_threads(before)


def test_the_longest_names_have_room_for_variants_and_suffixes(make_table, tmp_path) -> None:
    longest = next(iter(usable_names(["가" * 85]).values()))
    assert len(longest.encode()) > 190
    table = make_table("s", count=1)
    named = SampleTable.from_samples([replace(table[0], id=longest)], table.info, tmp_path)
    (tmp_path / "out").mkdir()
    translate_table(named, Styles(), tmp_path / "out", "styles")
    assert [s.id for s in SampleTable.read(tmp_path / "out")] == [f"{longest}__v{k}" for k in range(Styles.variants)]

"""Ids as names of files, and paths that are no UTF-8."""

import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tasks.contracts.finding import Finding
from tasks.datasets.checks.model import CheckedSet
from tasks.datasets.checks.page import write_page
from tasks.datasets.checks.run import run_checks
from tasks.datasets.config import DatasetsConfig, FolderDataset, SampleDataset
from tasks.datasets.errors import Rejection
from tasks.datasets.export import Format, export_table
from tasks.datasets.images import read_image
from tasks.datasets.naming import path_text, spelt_alike, text_path, usable_names
from tasks.datasets.overview.numbers import overview_of
from tasks.datasets.overview.page import write_overview
from tasks.datasets.read import read_dataset
from tasks.datasets.rejected import read_rejected, tell_rejected, write_rejected
from tasks.datasets.table import TABLE, SampleTable
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "camvid11.yaml")
KOREAN = os.fsdecode("도로".encode("cp949"))  # as a Korean Windows writes it
LATIN = os.fsdecode("Stra\xdfe".encode("latin-1"))
LONG = "가" * 80
CUT = "나" * 83  # 253 bytes with its suffix: no more fits
APART = unicodedata.normalize("NFD", "세종로")
NAMES = (KOREAN, LATIN, LONG, CUT, APART, "line\nbreak", "plain")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images, masks and boxes of such names, and an image without any label."""
    root = tmp_path_factory.mktemp("names")
    for folder in ("images", "masks", "labels"):
        (root / folder).mkdir()
    for name in NAMES:
        Image.fromarray(PIXELS).save(root / "images" / f"{name}.png")
        Image.fromarray(np.full((20, 30), 3, np.uint8)).save(root / "masks" / f"{name}.png")
        (root / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    Image.fromarray(PIXELS).save(root / "images" / f"{KOREAN}2.png")
    return root


@pytest.fixture(scope="module")
def table(root: Path, tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    """The table that was read, after it was written and read again."""
    config = FolderDataset(
        format="folder",
        name="camvid",
        root=root,
        image_folder="images",
        mask_folder="masks",
        boxes="labels",
        yolo_names=("car",),
    )
    result = read_dataset(config, TAXONOMY)
    folder = tmp_path_factory.mktemp("table")
    result.table.write(folder)
    (found,) = result.rejected
    assert "도로2.png" in str(tell(result.rejected, root, folder))
    assert found.cause == "paired"
    return SampleTable.read(folder)


def tell(rejected: list, root: Path, folder: Path) -> str:  # type: ignore[type-arg]
    write_rejected(folder / "rejected.csv", rejected, root)
    again = read_rejected(folder / "rejected.csv", root)
    assert all(r.file.is_file() for r in again)
    tell_rejected(folder / "told.csv", again)
    return (folder / "told.csv").read_text()


def test_every_name_is_read(table: SampleTable) -> None:
    ids = {s.id for s in table}
    assert len(ids) == len(NAMES)
    assert {"도로", "Stra\\xdfe", "세종로", "line_break", "plain"} < ids
    assert all(len(i.encode()) <= 200 for i in ids)
    for sample in table:
        assert (read_image(sample.image) == PIXELS).all()
        assert sample.mask is not None
        assert sample.mask.stem == sample.image.stem
        assert sample.boxes is not None
        assert len(sample.boxes) == 1


@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_every_name_is_exported(table: SampleTable, tmp_path: Path, to: Format) -> None:
    summary = export_table(table, tmp_path / "out", to)
    assert (summary.images, summary.boxes) == (len(NAMES), len(NAMES))
    assert {p.stem for p in (tmp_path / "out" / "images").rglob("*.png")} == {s.id for s in table}


def test_every_name_stands_on_the_pages(table: SampleTable, tmp_path: Path) -> None:
    lost = Rejection(Path(f"/set/{KOREAN}.png"), Finding.of("data.empty"), "decodable")
    sets = {"source": CheckedSet(table, [lost], len(NAMES) + 1, len(NAMES)), "target": CheckedSet(table, [], 7, 7)}
    sample = SampleDataset(format="sample", side="real")
    config = DatasetsConfig(taxonomy=Path("x"), source=sample, target=sample, benchmark=sample)
    write_page(tmp_path / "checks.html", run_checks(sets, config), sets, "names")
    assert "도로.png" in (tmp_path / "checks.html").read_text()
    write_overview(tmp_path / "page.html", [overview_of(table, "names", images=8)], "names")
    assert "세종로" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("labels", ["coco", "yolo"])
@pytest.mark.parametrize("apart", ["images", "labels"])
def test_names_that_macos_took_apart_are_matched(tmp_path: Path, labels: str, apart: str) -> None:
    def spelt(kind: str, name: str = "세종로") -> str:
        return unicodedata.normalize("NFD" if kind == apart else "NFC", name)

    for folder in ("images", "masks", "labels"):
        (tmp_path / folder).mkdir()
    Image.fromarray(PIXELS).save(tmp_path / "images" / f"{spelt('images')}.png")
    Image.fromarray(np.full((20, 30), 3, np.uint8)).save(tmp_path / "masks" / f"{spelt('labels')}.png")
    row = {"id": 1, "file_name": f"{spelt('labels')}.png", "width": 30, "height": 20}
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    coco = {"images": [row], "annotations": [annotation], "categories": [{"id": 1, "name": "car"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(coco, ensure_ascii=False))
    (tmp_path / "labels" / f"{spelt('labels')}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    config = FolderDataset(
        format="folder",
        name="camvid",
        root=tmp_path,
        image_folder="images",
        mask_folder="masks",
        boxes="boxes.json" if labels == "coco" else "labels",
        yolo_names=("car",),
    )
    result = read_dataset(config, TAXONOMY)
    assert not result.rejected
    assert [(s.id, len(s.boxes or ())) for s in result.table] == [("세종로", 1)]


def test_names_are_matched_only_where_one_is_meant() -> None:
    apart, composed = unicodedata.normalize("NFD", "é"), "é"
    assert spelt_alike([apart], [composed, "e"]) == {apart: composed}
    assert spelt_alike([apart], [composed, apart]) == {}
    assert spelt_alike([apart, composed], [composed]) == {}
    both = ["\u1112\u1161\u11ab", "\u1112\u1161\u11ab"[:2] + "\u11ab"]
    assert spelt_alike(both[:1], ["한", "\ud558\u11ab"]) == {}


def test_names_of_different_ids_differ() -> None:
    ids = [KOREAN, "도로", "a/b", "a_b", "", ".", "..", LONG + "x", LONG + "y", unicodedata.normalize("NFD", "é"), "é"]
    names = usable_names(ids)
    assert len(set(names.values())) == len(ids)
    assert names["도로"] == "도로"
    assert names["a_b"] == "a_b"
    assert names["é"] == "é"
    assert usable_names(reversed(ids)) == names


@pytest.mark.parametrize("path", ["a/도로.png", f"/x/{KOREAN}/{LATIN}%41.png", "@root/a.png"])
def test_a_path_comes_back(path: str) -> None:
    path_text(path).encode()
    assert text_path(path_text(path)) == path


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("id", value) for value in ("../../escaped", "/tmp/escaped", "", "..", "a/b", "a\nb", "x" * 250, None)),
        *(("split", value) for value in ("../..", "/tmp", "a/../../b", "", None)),
    ],
)
def test_a_crafted_table_is_not_read(table: SampleTable, tmp_path: Path, column: str, value: str | None) -> None:
    table.write(tmp_path)
    rows = pq.read_table(tmp_path / TABLE)
    values = [value, *rows[column].to_pylist()[1:]]
    at = rows.schema.get_field_index(column)
    pq.write_table(rows.set_column(at, rows.schema.field(at), pa.array(values, pa.string())), tmp_path / TABLE)
    with pytest.raises(ValueError, match="cannot be a file's name"):
        SampleTable.read(tmp_path)


def test_a_table_names_nothing_outside_its_set(table: SampleTable) -> None:
    row = replace(table[0], image=Path("@root/../../etc/hostname"))
    crafted = SampleTable.from_samples([row], table.info, table.folder, table.folder)
    with pytest.raises(ValueError, match="outside of camvid"):
        crafted[0]

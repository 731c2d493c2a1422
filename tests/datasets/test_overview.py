"""The overview: its numbers and spatial priors by hand, its page, and sets that lack masks, boxes or readable files."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tasks.catalogue.language import speaking
from tasks.contracts.dataset_counts import BoxCounts, DatasetCounts, ImageCounts
from tasks.datasets.masks import IGNORE, MaskEncoding
from tasks.datasets.overview import page as overview_page
from tasks.datasets.overview.drawing import BOX_COLORS, draw_labels
from tasks.datasets.overview.numbers import class_divergence, overview_of
from tasks.datasets.overview.page import percent, print_overview, write_overview
from tasks.datasets.priors import heat_map, spatial_priors
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tests.report.test_korean import foreign, page_text

COLORS = {"road": (128, 64, 128), "sky": (70, 130, 180), "car": (0, 0, 142), "train": (0, 80, 100)}
CLASSES = tuple(SegmentationClass(name=name, color=color) for name, color in COLORS.items())
INFO = TableInfo(
    dataset="hand-made",
    classes=CLASSES,
    detection=("car", "bus", "tram"),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2, 3: 3, 9: IGNORE}),
    boxes_from="annotated",
    impossible=("train",),
    impossible_boxes=("tram",),
)


def sample(
    folder: Path, name: str, mask: Sequence[Sequence[int]] | None, boxes: tuple[Box, ...] | None = (), scale: int = 1
) -> Sample:
    """A sample whose image is grey, with a mask of these values, each a square of ``scale`` pixels."""
    values = np.kron(np.asarray(mask or [[0, 0], [0, 0]], np.uint8), np.ones((scale, scale), np.uint8))
    height, width = values.shape
    Image.new("RGB", (width, height), (90, 90, 90)).save(folder / f"{name}.png")
    if mask is not None:
        Image.fromarray(values).save(folder / f"{name}_mask.png")
    return Sample(
        id=name,
        image=folder / f"{name}.png",
        mask=folder / f"{name}_mask.png" if mask is not None else None,
        width=width,
        height=height,
        split="train",
        sha256=name,
        mask_sha256=None,
        boxes=boxes,
        sequence=name[0],
        class_pixels=tuple(int((values == i).sum()) for i in range(len(CLASSES))) if mask is not None else None,
    )


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    samples = [
        sample(tmp_path, "a1", [[1, 1], [0, 0]], (Box(0, 0, 0, 10, 20), Box(0, 0, 0, 32, 32), Box(0, 0, 0, 96, 97))),
        sample(tmp_path, "a2", [[1, 9], [0, 2]], (Box(0, 0, 0, 96, 96), Box(0, 5, 5, 50, 50, crowd=True))),
        sample(tmp_path, "b1", [[0, 0, 0, 0]]),
        sample(tmp_path, "b2", None, None),
    ]
    return SampleTable.from_samples(samples, INFO, tmp_path)


def test_numbers_of_a_set(table: SampleTable) -> None:
    found = overview_of(table, "source")
    assert (found.role, found.dataset, found.images, found.sequences) == ("source", "hand-made", 4, 2)
    assert found.splits == {"train": 4}
    assert found.sizes == {(2, 2): 3, (4, 1): 1}
    assert (found.masked, found.boxed, found.empty, found.unlabelled) == (3, 3, 1, 1)
    assert found.ignored == pytest.approx(1 / 12)
    assert [(c.name, c.state, c.pixels, c.images) for c in found.classes] == [
        ("road", "shown", 7, 3),
        ("sky", "shown", 3, 2),
        ("car", "shown", 1, 1),
        ("train", "impossible", 0, 0),
    ]
    assert [c.share for c in found.classes] == pytest.approx([7 / 11, 3 / 11, 1 / 11, 0])
    assert (found.objects, found.crowds) == (4, 1)


def test_numbers_of_boxes(table: SampleTable) -> None:
    car, bus, tram = overview_of(table, "source", images=1).detection
    assert (car.state, car.objects, car.crowds, car.images) == ("shown", 4, 1, 2)
    assert car.per_image == pytest.approx(4 / 3)
    assert car.sizes == (1, 2, 1)  # 32² and 96² are medium
    assert car.median == (64, 64)
    assert (bus.state, bus.objects, bus.median, bus.sizes) == ("absent", 0, None, (0, 0, 0))
    assert tram.state == "impossible"


def test_spatial_priors_by_hand(tmp_path: Path) -> None:
    masks = [[[1, 1], [0, 0]], [[1, 9], [0, 2]]]
    table = SampleTable.from_samples(
        [
            sample(tmp_path, "a", masks[0], scale=3),
            sample(tmp_path, "b", masks[1], scale=6),
            sample(tmp_path, "c", None),
        ],
        INFO,
        tmp_path,
    )
    priors = spatial_priors(table, 10, (2, 2), seed=0)
    assert priors.dtype == np.float32
    np.testing.assert_allclose(priors[0], [[0, 0], [1, 0.5]])
    np.testing.assert_allclose(priors[1], [[1, 0.5], [0, 0]])
    np.testing.assert_allclose(priors[2], [[0, 0], [0, 0.5]])
    assert not priors[3].any()
    # A cell counts with the part of it that the class covers: both rows of a column are one cell here.
    np.testing.assert_allclose(spatial_priors(table, 10, (2, 1), seed=0)[1], [[0.5, 0.25]])


def test_spatial_priors_are_drawn_by_seed(tmp_path: Path) -> None:
    masks = [[[i % 3, 0], [0, 0]] for i in range(9)]
    table = SampleTable.from_samples([sample(tmp_path, f"m{i}", m) for i, m in enumerate(masks)], INFO, tmp_path)
    one, same = (spatial_priors(table, 3, (2, 2), seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert set(np.unique(np.rint(one * 3))) <= {0, 1, 2, 3}
    np.testing.assert_allclose(one * 3, np.rint(one * 3), atol=1e-6)
    others = [spatial_priors(table, 3, (2, 2), seed=s) for s in range(8)]
    assert any(not np.array_equal(one, other) for other in others)


def test_a_mask_that_cannot_be_read_is_listed_and_left_out(
    table: SampleTable, caplog: pytest.LogCaptureFixture
) -> None:
    (table.folder / "a2_mask.png").write_bytes(b"")
    found = overview_of(table, "source")
    assert found.prior_images == 2
    assert found.priors is not None
    assert found.priors[2].sum() == 0
    assert [p for p in found.problems if "a2_mask.png: is empty" in p] == list(found.problems)
    assert [p.notes for p in found.pictures if p.id == "a2"] == [("mask a2_mask.png: is empty (0 bytes)",)]
    spatial_priors(table, 10, (2, 2), seed=0)
    assert "a2_mask.png: is empty" in caplog.text


def test_pictures_tell_what_is_missing(table: SampleTable, tmp_path: Path) -> None:
    (tmp_path / "b1.png").write_bytes((tmp_path / "b1.png").read_bytes()[:40])
    pictures = {p.id: p for p in overview_of(table, "source").pictures}
    assert pictures["a1"].notes == ()
    assert pictures["b1"].image is None
    assert pictures["b1"].notes[0].startswith("b1.png: cannot be decoded")
    assert pictures["b2"].notes == ("no mask", "no box labels")
    assert pictures["b2"].image is not None
    write_overview(tmp_path / "page.html", [overview_of(table, "source")], "Sets")
    page = (tmp_path / "page.html").read_text()
    assert "This image cannot be shown." in page
    assert "no box labels" in page


@pytest.mark.parametrize("case", [0, 1], ids=["masks", "boxes"])
def test_a_set_without_masks_or_without_boxes(table: SampleTable, tmp_path: Path, case: int) -> None:
    update = [{"encoding": None}, {"boxes_from": None}][case]
    without = [{"mask": None, "class_pixels": None}, {"boxes": None}][case]
    bare = SampleTable.from_samples([replace(s, **without) for s in table], INFO.model_copy(update=update), tmp_path)
    found = overview_of(bare, "target")
    if case == 0:
        assert (found.masked, found.ignored, found.priors, found.prior_images) == (0, None, None, 0)
        assert np.isnan(spatial_priors(bare, 5, (2, 2), 0)).all()
        assert {c.state for c in found.classes} == {"unlabelled"}
        assert found.boxed == 3
    else:
        assert (found.boxed, found.empty, found.objects) == (0, 0, 0)
        assert {c.state for c in found.detection} == {"unlabelled"}
        assert found.masked == 3
    for sets in ([found], [overview_of(table, "source"), found]):
        write_overview(tmp_path / "page.html", sets, "Sets")
        print_overview(sets, Console(file=io.StringIO()))
    page = (tmp_path / "page.html").read_text()
    assert ("no masks</div>" in page, "the set has no boxes" in page) == (case == 0, case == 1)


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_set_and_a_single_image(table: SampleTable, tmp_path: Path, rows: int) -> None:
    found = overview_of(table.take(range(rows)), "benchmark")
    assert found.images == len(found.pictures) == found.prior_images == rows
    assert [c.state for c in found.classes] == [
        *(["shown", "shown"] if rows else ["absent"] * 2),
        "absent",
        "impossible",
    ]
    write_overview(tmp_path / "page.html", [found], "Sets")
    assert (tmp_path / "page.html").stat().st_size > 1000


def test_class_divergence(table: SampleTable) -> None:
    whole = overview_of(table, "whole", images=1)
    road, car = (overview_of(table.take([n]), "part", images=1) for n in (2, 1))
    assert class_divergence(whole, whole) == pytest.approx(0)
    sky = replace(road, classes=tuple(replace(c, pixels=int(c.name == "sky")) for c in road.classes))
    assert class_divergence(road, sky) == pytest.approx(1)
    assert class_divergence(road, car) == pytest.approx(class_divergence(car, road))
    # p = (1, 0, 0) and q = (1, 1, 1) / 3, by hand
    assert class_divergence(road, car) == pytest.approx(0.5 * (np.log2(1 / (2 / 3)) + (np.log2(0.5) + 2) / 3), abs=1e-6)
    assert class_divergence(road, overview_of(table.take([3]), "unlabelled", images=1)) is None


class Tags(HTMLParser):
    """Every tag's name and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_page_is_one_file_with_everything_escaped(table: SampleTable, tmp_path: Path) -> None:
    evil = '<script>alert("x")</script>'
    info = INFO.model_copy(update={"dataset": evil})
    renamed = SampleTable.from_samples([replace(s, id=evil) for s in table], info, tmp_path)
    write_overview(tmp_path / "page.html", [overview_of(renamed, evil), overview_of(table, "target")], evil)
    page = (tmp_path / "page.html").read_text()
    tags = Tags(page).found
    assert "script" not in {name for name, _ in tags}
    assert {a["src"].split(",")[0] for n, a in tags if n == "img" and a["src"]} == {"data:image/webp;base64"}  # type: ignore[union-attr]
    assert not any("href" in a and not str(a["href"]).startswith("#") for _, a in tags)
    assert not re.search(r"url\(|@import|https?://", page)
    assert page.count('<span class="pill">no label</span>') == 1 + 2 + 2  # the note; train and tram of both sets
    assert page.count('<span class="pill absent">does not occur</span>') == 1 + 2  # the note; bus of both sets
    print_overview(
        [overview_of(renamed, "[red]role"), overview_of(table, "b")], console := Console(file=io.StringIO(), width=120)
    )
    assert "[red]role" in console.file.getvalue()  # type: ignore[attr-defined]


def test_all_of_it_is_said_in_the_language_that_is_spoken(table: SampleTable, tmp_path: Path) -> None:
    (tmp_path / "a1_mask.png").write_bytes(b"broken")
    counts = DatasetCounts(
        images=ImageCounts(found=9, read=4, rejected=2, out=3),
        boxes=BoxCounts(listed=9, kept=4, rejected=1, other=1, hidden=1, merged=1, out=1),
    )
    with speaking("ko"):
        found = [overview_of(table, role, counts=counts) for role in ("source", "target")]
        write_overview(tmp_path / "page.html", found, "제목")
        print_overview(found, console := Console(file=io.StringIO(), width=200))
    names = {*COLORS, *INFO.detection, INFO.dataset, "a1_mask", *re.findall(r"\w+", str(tmp_path))}
    for text in (page_text((tmp_path / "page.html").read_text()), console.file.getvalue()):  # type: ignore[attr-defined]
        assert foreign(text, names) == set()
        assert "9 = 읽음 4 + 제외 2 + 다른 분할이거나 뽑지 않음 3" in text
    assert found[0].pictures[0].notes, "said in a thread, and Korean all the same"


def test_pictures_shrink_until_the_page_is_small(
    table: SampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = overview_of(table, "source", images=2)
    noise = np.random.default_rng(0).integers(0, 256, (540, 720, 3), np.uint8)
    found = replace(found, pictures=tuple(replace(p, image=noise) for p in found.pictures))
    write_overview(tmp_path / "page.html", [found], "Sets")
    whole = (tmp_path / "page.html").stat().st_size
    monkeypatch.setattr(overview_page, "MAX_BYTES", whole // 2)
    write_overview(tmp_path / "page.html", [found], "Sets")
    assert (tmp_path / "page.html").stat().st_size <= whole // 2


def test_labels_are_drawn_where_they_are() -> None:
    image = np.full((90, 180, 3), 100, np.uint8)
    mask = np.full((90, 180), IGNORE, np.uint8)
    mask[:, 90:] = 1
    drawn = draw_labels(image, mask, [Box(1, 20, 40, 60, 80)], CLASSES, INFO.detection).astype(int)
    assert drawn.shape == (360, 720, 3)
    np.testing.assert_allclose(drawn[100, 600], 0.55 * 100 + 0.45 * np.array(CLASSES[1].color), atol=1.5)
    assert set(np.unique(drawn[300:, 300:340])) - {100}  # ignored pixels are hatched
    assert (drawn[:, 360] > 190).all()  # the boundary of the two
    for y, x in ((200, 80), (200, 239), (160, 200), (319, 150)):
        assert tuple(drawn[y, x]) == BOX_COLORS[1]
    assert tuple(drawn[140, 81]) == BOX_COLORS[1]  # its name stands above


def test_a_class_name_with_a_line_break_is_written_in_one_line() -> None:
    image = np.full((200, 300, 3), 60, np.uint8)
    box = [Box(0, 20, 90, 280, 190)]
    broken, plain = (draw_labels(image, None, box, (), (name,)) for name in ("small\n\tcar", "small car"))
    assert (broken == plain).all()


def test_heat_map_and_percent() -> None:
    colors = heat_map(np.array([[0, 0.001, 0.01, 0.1, 1]], np.float32))
    assert colors.shape == (1, 5, 3)
    brightness = colors.astype(int).sum(axis=2)[0]
    assert (np.diff(brightness) > 0).all()
    texts = {None: "-", 0.0: "0.0 %", 0.00001: "<0.01 %", 0.0031: "0.31 %", 0.372: "37.2 %", 1.0: "100.0 %"}
    assert {share: percent(share) for share in texts} == texts

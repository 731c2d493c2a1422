"""The figures: their numbers and places, names from outside, both languages, and the files."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFont

from tasks.catalogue.language import speaking
from tasks.charts.marks import COLOURS, series
from tasks.charts.scales import scale
from tasks.charts.svg import WIDTH, Figure
from tasks.charts.typesetting import FONT, SMALL, width, wrap
from tasks.contracts.arm import Arm
from tasks.contracts.audit import DomainMap, MapPoint
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.figures import page, save
from tasks.report.figures.classes import classes
from tasks.report.figures.curves import curves
from tasks.report.figures.differences import differences
from tasks.report.figures.domains import domains
from tasks.report.figures.flips import flips
from tasks.report.figures.gap import gap
from tasks.report.figures.page import of_audit, of_task, of_translators
from tasks.report.figures.save import save_figures, stylesheet
from tasks.report.figures.scores import scores
from tasks.report.model import AuditPart, Report
from tasks.report.score_table import TaskTable
from tests.report.findings import audit, compared, difference

CUT, FDA = "translated(cut)", "translated(fda)"
LONG = "translated(a-translator-with-a-very-long-name-of-the-year-before-last)"
LONG_CLASS = "a class with a very long name (suspended)"
CLASSES = {"road": 0.6, "sky": 0.8, "pole": 0.03, LONG_CLASS: 0.2, "train": None}
CHANGES = {
    "road": difference(0.9, -0.8, 2.6, "not decidable"),
    "sky": difference(4.1, 2.4, 5.8, "improves"),
    "pole": difference(-2.6, -4.3, -0.9, "harms"),
}
SCORES = {"real": 0.347, "source": 0.193, CUT: 0.234, FDA: 0.2, f"real+{CUT}": 0.36, LONG: 0.21}
ARMS = {("segmentation", arm, seed): score + 0.001 * seed for arm, score in SCORES.items() for seed in (0, 1)}
PAIRS = {
    (CUT, "source"): difference(4.1, 2.9, 5.2, "improves"),
    (FDA, "source"): difference(-1.2, -2.0, -0.4, "harms"),
    ("real", "source"): difference(15.4, 13.0, 17.0, "improves"),
    (f"real+{CUT}", "source"): difference(16.7, 14.0, 19.0, "improves"),
    (LONG, "source"): difference(1.7, -1.0, 4.0, "not decidable"),
}
SHAPES = ("line", "rect", "path", "polyline", "circle")


def build(fake: Any, language: str = "en", arms: Any = ARMS, **more: Any) -> Report:
    made = {"classes": CLASSES, "comparison": compared(arms, PAIRS, CLASSES, CHANGES), "audits": {"cut": audit()}}
    return build_report(fake(arms, **{**made, **more}).record(), ReportConfig(language=language))  # type: ignore[arg-type]


@pytest.fixture
def report(fake: Any) -> Report:
    return build(fake)


@pytest.fixture
def table(report: Report) -> TaskTable:
    return report.tables[0]


def part(**changes: Any) -> AuditPart:
    return AuditPart(name="cut", summary="", audit=audit().model_copy(update=changes))


def every(report: Report) -> list[Figure]:
    with speaking(report.language):
        found = [f for t in report.tables for f in of_task(t, CUT, with_scores=True)]
        found += of_translators(report.glance) if report.glance else []
        return found + [f for a in report.audits for f in of_audit(a)]


def parse(figure: Figure | None) -> ElementTree.Element:
    assert figure is not None
    return ElementTree.fromstring(figure.svg)


def texts(root: ElementTree.Element, name: str = "text") -> list[str]:
    return ["".join(e.itertext()) for e in root.iter(name)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_figure_is_plain_styled_named_svg(fake: Any, language: str) -> None:
    figures = every(build(fake, language))
    kinds = ["scores", "differences", "curves", "classes", "classes-real", "trade", "domains", "flips", "gap"]
    assert [f.kind for f in figures] == kinds
    known = {*re.findall(r"\.([\w-]+)", (save.TEMPLATES / "figures.css").read_text())}
    for figure in figures:
        root = parse(figure)
        assert root.get("viewBox", "").startswith(f"0 0 {WIDTH:g} ")
        assert (root.get("role"), root.get("aria-label")) == ("img", figure.title)
        assert texts(root, "desc") == [figure.note]
        for element in root.iter():
            assert not {"style", "fill", "stroke", "href", "id"} & set(element.keys()), element.attrib
            if element.tag in SHAPES and element.get("class"):
                assert {*element.get("class", "").split()} & known, element.attrib
        assert any("\uac00" <= c <= "\ud7a3" for c in figure.title + figure.note) == (language == "ko")


def test_texts_stay_inside_and_beside_each_other(report: Report) -> None:
    figures = [f for f in every(report) if f.kind not in ("curves", "domains")]  # their charts are moved sideways
    blocks = [(f, b) for f in figures for b in ElementTree.fromstring(f.svg).iter("g") if b.get("class") == "block"]
    for figure, block in blocks:
        placed = [_extent(e) for e in block.iter("text")]
        assert all(a >= -0.5 and b <= WIDTH + 0.5 for a, b, _ in placed), figure.kind
        for (a, b, y), (c, d, z) in itertools.combinations(placed, 2):
            assert b <= c or d <= a or abs(y - z) >= 14, figure.kind


def _extent(element: ElementTree.Element) -> tuple[float, float, float]:
    small, bold = ("small" in element.get("class", "")), ("value" in element.get("class", ""))
    x, size = float(element.get("x", 0)), SMALL if small else FONT
    wide = width(element.text or "", size, bold and not small)
    start = x - {"end": wide, "middle": wide / 2}.get(element.get("text-anchor", ""), 0)
    return start, start + wide, float(element.get("y", 0))


@pytest.mark.parametrize(
    "text", ["Real + translated (cut)", "+16.0 [14.5, −17.5]", "MWmw@%", "traffic_light", "illi.,"]
)
def test_widths_are_estimated_on_the_wide_side(text: str) -> None:
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu Sans is the widest of those of style.css
    for name, bold in (("DejaVuSans.ttf", False), ("DejaVuSans-Bold.ttf", True)):
        drawn = ImageFont.truetype(str(fonts / name), 100).getlength(text)
        assert drawn <= width(text, 100, bold) <= 1.5 * drawn


def test_text_wraps_at_spaces_and_hyphens_and_is_cut_at_last() -> None:
    room = width("Real + translated ")
    assert wrap("Real + translated (cut)", room) == ["Real + translated", "(cut)"]
    assert wrap("some-very-long-name", width("some-very-")) == ["some-very-", "long-name"]
    cut = wrap("a" * 200, room, 2)
    assert len(cut) == 2
    assert cut[1].endswith("…")
    assert all(width(line) <= room for line in cut)
    assert wrap("", room) == [""]


def test_scales_are_round_and_linear() -> None:
    across = scale([-3.1, 16.2, None, float("nan")], 10, 550)
    assert across.ticks == (0, 5, 10, 15)
    assert [across.label(v, signed=True) for v in across.ticks] == ["0", "+5", "+10", "+15"]
    assert across(5) - across(0) == pytest.approx(across(15) - across(10))
    assert 10 < across(-3.1) < across(0) < across(16.2) < 550
    assert across(1e9) == 550
    small = scale([0.0, 0.31], 0, 100)
    assert [small.label(v) for v in small.ticks] == ["0.0", "0.1", "0.2", "0.3"]
    assert scale([], 0, 100).ticks
    assert scale([-2.0, -1.0], 0, 100).ticks[-1] == 0


def test_scores_are_bars_from_zero(table: TaskTable) -> None:
    root = parse(scores(table, CUT))
    shown = texts(root)
    assert "19.4 [17.4, 21.4]" in shown
    assert "Simulator (baseline)" in shown
    bars = {g.get("class"): g.find("rect") for g in root.iter("g") if g.get("class", "").startswith("bar")}
    lengths = {name: float(bar.get("width")) for name, bar in bars.items()}  # type: ignore[union-attr,arg-type]
    assert lengths["bar oracle"] / lengths["bar baseline"] == pytest.approx(34.75 / 19.35, abs=0.01)
    assert "bar other chosen" in lengths
    assert {b.get("x") for b in bars.values() if b is not None} == {"0"}


def test_differences_have_zero_margin_and_intervals(table: TaskTable) -> None:
    root = parse(differences(table))
    shown = texts(root)
    assert [s for s in shown if "[" in s] == [
        *("▲ +15.4 [13.0, 17.0]", "▲ +4.1 [2.9, 5.2]", "▼ −1.2 [−2.0, −0.4]", "▲ +16.7 [14.0, 19.0]"),
        "· +1.7 [−1.0, 4.0]",
    ]
    zero = {float(e.get("x1", 0)) for e in root.iter("line") if e.get("class") == "zero"}
    (at,) = zero
    band = next(e for e in root.iter("rect") if e.get("class") == "band")
    unit = float(band.get("width", 0))  # the margin is half a point to either side
    assert float(band.get("x", 0)) + unit / 2 == pytest.approx(at, abs=0.1)
    (worse,) = (g for g in root.iter("g") if g.get("class") == "down")
    low, high = (float(x) for x in re.findall(r"[MH]([\d.]+)", next(worse.iter("path")).get("d", "")))
    assert ((low - at) / unit, (high - at) / unit) == (pytest.approx(-2.0, abs=0.05), pytest.approx(-0.4, abs=0.05))
    hollow = [g.get("class") for g in root.iter("g") for p in g.findall("path") if "open" in p.get("class", "")]
    assert hollow == ["neutral"]


def test_classes_are_rows_that_a_script_can_hide(table: TaskTable) -> None:
    root = parse(classes(table))
    rows = [g for g in root.iter("g") if g.get("class") == "block"]
    assert [g.get("data-class") for g in rows[2:]] == ["sky", "road", LONG_CLASS, "pole"]
    for row in rows:
        assert float(row.get("data-height", 0)) > 0
    marks = {(g.get("data-class"), g.get("data-arm")): g for g in root.iter("g") if g.get("data-arm")}
    assert set(marks) == {(g.get("data-class"), arm) for g in rows[2:] for arm in (CUT, FDA, LONG)}
    assert texts(marks["pole", CUT], "title") == ["pole, Translated (cut): −2.6 [−4.3, −0.9], harms"]
    looks = {g.find("g").get("class") for (name, _), g in marks.items() if name == "sky"}  # type: ignore[union-attr]
    assert len(looks) == 3
    real = parse(classes(table, with_real=True))
    assert {g.get("data-arm") for g in real.iter("g")} - {None} == {"real", f"real+{CUT}"}


def test_series_differ_in_colour_and_shape() -> None:
    first = [series(i) for i in range(COLOURS)]
    assert len({c for c, _ in first}) == len({s for _, s in first}) == COLOURS
    assert len({series(i) for i in range(36)}) == 36


@pytest.mark.parametrize("theme", [0, 1])
def test_series_are_told_apart_by_the_colour_blind(theme: int) -> None:
    """CIELAB distances as seen, and simulated for protanopia and deuteranopia (Machado et al., 2009)."""
    sheet = (save.TEMPLATES / "figures.css").read_text()
    pairs = re.findall(r"--series-\d: light-dark\((#\w{6}), (#\w{6})\)", sheet)
    assert len(pairs) == COLOURS
    colours = [_linear(pair[theme]) for pair in pairs]
    ground = _linear(("#ffffff", "#182029")[theme])
    seen = [
        np.eye(3),
        np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
        np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    ]
    for sight in seen:
        labs = [_lab(np.clip(sight @ c, 0, 1)) for c in colours]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(labs, 2)) > 30
    lightness = [float(np.array([0.2126, 0.7152, 0.0722]) @ c) for c in (*colours, ground)]
    contrasts = [(max(y, lightness[-1]) + 0.05) / (min(y, lightness[-1]) + 0.05) for y in lightness[:-1]]
    assert min(contrasts) >= 3  # WCAG 2.2, 1.4.11


def _linear(colour: str) -> Any:
    values = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _lab(rgb: Any) -> Any:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    f = np.cbrt(xyz / np.array([0.9505, 1, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_curves_have_ticks_and_tell_their_losses(table: TaskTable) -> None:
    root = parse(curves(table))
    charts = {g.get("data-arm"): g for g in root.iter("g") if g.get("data-arm")}
    assert set(charts) == set(SCORES)
    assert len(list(charts[CUT].iter("polyline"))) == 2
    assert "ends at 0.500" in texts(charts[CUT])  # 2 / 4, of both seeds
    told = texts(charts[CUT], "title")
    assert told[-1] == "Translated (cut), iteration 4: 0.500 (seed 0), 0.500 (seed 1)"
    ticks = [texts(chart) for chart in charts.values()]
    assert len({tuple(t[-8:-1]) for t in ticks}) == 1  # all on the same scales
    lines = [p for line in charts[CUT].iter("polyline") for p in line.get("points", "").split()]
    assert all(0 <= float(p.split(",")[1]) <= 130 for p in lines)


def test_domains_are_before_and_after_on_the_same_axes() -> None:
    root = parse(domains(part(), "Translated (cut)"))
    sides = {g.get("data-side"): g for g in root.iter("g") if g.get("data-side")}
    assert list(sides) == ["source", "translated"]
    found = {}
    for side, panel in sides.items():
        titles = texts(panel, "title")
        assert (len(titles), titles[0]) == (122, "Real: real0")  # 60 of two domains, and their means
        paths = [g.find("path").get("d") for g in panel.iter("g") if "cloud d-real" in g.get("class", "")]  # type: ignore[union-attr]
        found[side] = paths
    assert found["source"] == found["translated"]
    assert "Real (60 images)" in texts(root)
    assert "→ first principal component, 34.0 % of the variance" in texts(root)
    one = DomainMap(features="f", explained=(0.5, 0.5), points=(MapPoint(domain="real", id="a", x=3.0, y=3.0),))
    assert "Real (1 image)" in texts(parse(domains(part(map=one), "x")))


def test_map_has_y_upwards_and_equal_units() -> None:
    corners = {"real": (0.0, 0.0), "source": (2.0, 0.0), "translated": (2.0, 1.0)}
    points = tuple(MapPoint(domain=d, id=d, x=x, y=y) for d, (x, y) in corners.items())  # type: ignore[arg-type]
    root = parse(domains(part(map=DomainMap(features="f", explained=(0.5, 0.5), points=points)), "x"))
    dots = {g.get("class", "")[8:]: g.find("path").get("d") for g in root.iter("g") if "cloud" in g.get("class", "")}  # type: ignore[union-attr]
    corner = {d: [float(v) for v in re.findall(r"-?[\d.]+", path or "")] for d, path in dots.items()}
    xs = [corner["real"][0] + 3.6, corner["source"][0] + 3.6 * 0.9, corner["translated"][0]]
    ys = [corner["real"][1], corner["source"][1] + 3.6 * 0.9, corner["translated"][1] + 3.6 * 1.25]
    assert xs[1] == pytest.approx(xs[2], abs=0.2)
    assert ys[0] == pytest.approx(ys[1], abs=0.2)
    assert xs[1] - xs[0] == pytest.approx(2 * (ys[1] - ys[2]), abs=0.4)
    assert ys[2] < ys[1]


def test_flips_name_the_main_destination_and_the_limit() -> None:
    root = parse(flips(part(), "Translated (cut)"))
    shown = texts(root)
    assert shown[:4] == ["Sky → Building 22.0 %", "31.0 % [30.0, 32.0]", "Building → Sky 4.2 %", "4.2 % [3.2, 5.2]"]
    assert [e.get("class") for e in root.iter("text") if "31.0" in (e.text or "")] == ["value down"]
    assert "Dashed: 10.0 %, the most that passes." in texts(root, "desc")[0]
    bars = [e.get("class") for e in root.iter("g") if e.get("class") in ("flip", "few")]
    assert bars == ["flip", "few"]  # the second is not checked
    assert texts(root, "desc")[0].endswith("Grey: too few pixels to be checked.")
    rest, most = (
        float(next(e for e in root.iter("rect") if e.get("class") == c).get("width", 0)) for c in ("rest", "most")
    )
    assert most / rest == pytest.approx(22 / 31, abs=0.01)
    assert texts(root, "title")[0] == "Sky: 31.0 % [30.0, 32.0] → Building 22.0 %, Pole 9.0 %"


def test_gap_points_from_before_to_after() -> None:
    root = parse(gap(part(), "Translated (cut)"))
    assert texts(root, "title") == ["Sky: 21.4 → 12.2", "Building: 14.8 → 24.0"]
    ways = [e for e in root.iter("line") if e.get("class") == "way"]
    assert float(ways[0].get("x1", 0)) > float(ways[0].get("x2", 0))
    assert [g.get("class") for g in root.iter("g") if g.get("class") in ("up", "down")][2:] == ["up", "down"]


def test_nothing_to_show_is_no_figure(fake: Any, table: TaskTable) -> None:
    bare = AuditPart(name="cut", summary="", audit=audit(judged=False))
    assert of_audit(bare) == []
    alone = build(fake, arms={("segmentation", "source", 0): 0.2}, comparison=None, audits={}).tables[0]
    assert [f.kind for f in of_task(alone, None, with_scores=True)] == ["scores", "curves"]
    none = table.model_copy(update={"rows": (), "curves": ()})
    assert of_task(none, None, with_scores=True) == []


def test_without_intervals_differences_are_dots_and_the_note_says_so(fake: Any) -> None:
    table = build(fake, comparison=None).tables[0]
    figure = differences(table)
    root = parse(figure)
    assert not [e for e in root.iter("path") if e.get("class") == "ends"]
    assert figure is not None
    assert figure.note.startswith("Without intervals")
    strokes = [e for e in parse(scores(table, None)).iter("line") if e.get("class") == "seed"]
    assert len(strokes) == 2 * len(SCORES)


def test_names_from_outside_are_text(report: Report, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"'&\x00\x1b\udc80"
    table = report.tables[0]
    rows = [r.model_copy(update={"arm": Arm.translated(f"{r.arm}{evil}"), "label": evil}) for r in table.rows]
    columns = [c.model_copy(update={"name": evil}) for c in table.columns]
    named = [c.model_copy(update={"arm": Arm.translated(f"{c.arm}{evil}")}) for c in table.curves]
    table = table.model_copy(update={"rows": tuple(rows), "columns": tuple(columns), "curves": tuple(named)})
    found = AuditPart(name=evil, summary="", audit=audit(evil, (evil, "<b>", "<i>")))
    assert report.glance is not None
    named_rows = tuple(row.model_copy(update={"name": evil}) for row in report.glance.rows)
    glance = report.glance.model_copy(update={"rows": named_rows})
    made = report.model_copy(update={"tables": (table,), "audits": (found,), "glance": glance})
    figures = every(made)
    assert len(figures) == 9
    for drawing in (d for figure in figures for d in (figure.svg, figure.standalone(""))):
        assert not {"script", "b", "i"} & {e.tag.split("}")[-1] for e in ElementTree.fromstring(drawing).iter()}
        assert "alert(1)" in drawing
    assert len(save_figures(made, tmp_path / "figures")) == 18


def test_figure_that_fails_costs_itself(report: Report, monkeypatch: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fails(*_: Any) -> Figure:
        raise ZeroDivisionError("no span")

    monkeypatch.setattr(page, "flips", fails)
    assert [f.kind for f in of_audit(report.audits[0])] == ["domains", "gap"]
    assert "a figure of cut could not be drawn: ZeroDivisionError: no span" in caplog.text


@pytest.mark.parametrize("language", ["en", "ko"])
def test_files_carry_style_and_pictures_show_text(fake: Any, tmp_path: Path, language: str) -> None:
    names = save_figures(build(fake, language), tmp_path)
    kinds = ["scores", "differences", "curves", "classes", "classes-real"]
    stems = [
        *(f"{k}_segmentation" for k in kinds),
        "trade_translators",
        *(f"{k}_cut" for k in ("domains", "flips", "gap")),
    ]
    assert names == [f"{stem}.{kind}" for stem in stems for kind in ("svg", "png")]
    for stem in stems:
        drawing = (tmp_path / f"{stem}.svg").read_text(encoding="utf-8")
        root = ElementTree.fromstring(drawing)
        assert "var(" not in drawing
        assert "light-dark" not in drawing
        assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
        with Image.open(tmp_path / f"{stem}.png") as picture:
            assert picture.width == pytest.approx(2 * float(root.get("width", 0)), abs=1)
            pixels = np.asarray(picture.convert("L"))
        assert pixels[0, 0] == 255
        assert (pixels[20:70, 20:500] < 90).mean() > 0.02  # its title is there


def test_stylesheet_has_light_colours_alone() -> None:
    sheet = stylesheet()
    assert ".fig .s1 { fill: #1a48e6;" in sheet
    assert ".fig text { fill: #16202c;" in sheet
    assert not re.search(r"var\(|@media|:root|light-dark|/\*", sheet)
    assert sheet.count("{") == sheet.count("}")


def test_file_names_are_safe_and_different(report: Report, tmp_path: Path) -> None:
    names = ("../../up", "한국", "日本", "a b", "a/b", "CON", "x" * 300)
    parts = tuple(report.audits[0].model_copy(update={"name": n}) for n in names)
    written = save_figures(
        report.model_copy(update={"audits": parts, "tables": (), "glance": None}), tmp_path / "figures"
    )
    assert len(written) == len({n.lower() for n in written}) == 2 * 3 * len(names)
    assert sorted(written) == sorted(p.name for p in (tmp_path / "figures").iterdir())
    assert all(re.fullmatch(r"[\w.-]{1,120}", n, re.ASCII) for n in written)
    assert [p.name for p in tmp_path.iterdir() if p.name != "store"] == ["figures"]


def test_picture_that_cannot_be_made_leaves_the_drawing(
    report: Report, tmp_path: Path, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: str) -> bytes:
        raise ValueError("no such font")

    monkeypatch.setattr(save, "png", fails)
    written = save_figures(report, tmp_path / "figures")
    assert len(written) == 9
    assert all(n.endswith(".svg") for n in written)
    assert "flips_cut.png could not be written: ValueError: no such font" in caplog.text


def test_very_tall_picture_is_made_smaller(table: TaskTable, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(save, "_MOST_PIXELS", 100_000)
    figure = scores(table, None)
    assert figure is not None
    (tmp_path / "x.png").write_bytes(save.png(figure.standalone(stylesheet())))
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.width * picture.height <= 105_000

"""The history: the archive, which changes count as regressions, and the page."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.catalogue.language import catalogue
from tasks.contracts.arm import Arm
from tasks.report.model import Report
from tasks.report.score_table import Cell
from tasks.trends.history.archive import Kept, archive, read_archive
from tasks.trends.history.chance import independent
from tasks.trends.history.chart import NARROW, WIDE, Dot, Line, Size, Wall, draw
from tasks.trends.history.findings import Regressed, regressions
from tasks.trends.history.page import HISTORY, write_history
from tasks.trends.history.sheets import LAST
from tasks.trends.history.style import COLOURS, styles
from tasks.trends.history.trend import Change, Trend, entry, trends
from tests.report.reports import ARMS, START, report, written

CUT = "translated(cut)"


def followed(*reports: Report) -> Trend:
    """The trend of one task over reports in order."""
    kept = [Kept.model_validate_json(r.model_dump_json(by_alias=True)) for r in reports]
    (found,) = trends([entry(f"{i}.json", k) for i, k in enumerate(kept)])
    return found


def changes(trend: Trend, arm: str = CUT, column: str = "mIoU") -> list[Change | None]:
    return [p.change for p in trend.line(arm, column)]


def outcomes(trend: Trend, arm: str = CUT, column: str = "mIoU") -> list[str]:
    return [c.outcome if c else "" for c in changes(trend, arm, column)]


def scored(cut: float) -> dict[str, float]:
    return {**ARMS, CUT: cut}


def night(day: float, cut: float, **changes: Any) -> Report:
    return report(day, scored(cut), flow="reevaluate", **changes)


def kept_in(folder: Path, reports: Sequence[Report]) -> Path:
    for found in reports:
        archive(written(found, folder / "report" / "report.json"), folder)
    return folder


def page(folder: Path, *reports: Report, language: Any = "en") -> str:
    kept_in(folder, reports)
    return write_history(folder, language).read_text(encoding="utf-8")


class Tags(HTMLParser):
    """All tags, all attributes that fetch, and the page's visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def count(self, tag: str, **attributes: str) -> int:
        return sum(t == tag and attributes.items() <= a.items() for t, a in self.tags)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.said))


def test_the_archive_names_files_by_time_flow_and_content(tmp_path: Path) -> None:
    path = written(report(), tmp_path / "report.json")
    kept = archive(path, tmp_path)
    assert re.fullmatch(r"20260301T030000Z-augment-[0-9a-f]{8}\.json", kept.name)
    assert kept.read_bytes() == path.read_bytes()
    assert archive(path, tmp_path) == kept
    other = archive(written(night(1, 24.0), tmp_path / "report.json"), tmp_path)
    assert [p.name for p in sorted((tmp_path / "history").iterdir())] == [kept.name, other.name]


def test_the_archive_puts_time_in_utc_and_refuses_what_is_no_report(tmp_path: Path) -> None:
    korean = datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    kept = archive(written(report(finished=korean), tmp_path / "report.json"), tmp_path)
    assert kept.name.startswith("20260301T000000Z-")
    (tmp_path / "report.json").write_text('{"schema": 2}')
    with pytest.raises(ValidationError):
        archive(tmp_path / "report.json", tmp_path)
    assert len(list((tmp_path / "history").iterdir())) == 1


def test_what_cannot_be_read_is_left_out_with_its_reason(tmp_path: Path) -> None:
    folder = kept_in(tmp_path, [report(), night(1, 24.0)])
    for name, content in {
        "a.json": b"{half",
        "b.json": b'{"schema": 2, "name": "old"}',
        "c.json": b"[]",
        "d.json": b'{"schema": 3, "flow": "augment", "finished": "2026-01-01T00:00:00Z"}',
        "e.partial.json": b"{",
    }.items():
        (folder / "history" / name).write_bytes(content)
    reports, left_out = read_archive(folder)
    assert [r.flow for _, r in reports] == ["augment", "reevaluate"]
    assert {f.file: f.reason for f in left_out} == {
        "a.json": "damaged: this is no JSON",
        "b.json": "a report of schema 2; this version reads 3, 4",
        "c.json": "a report of schema -; this version reads 3, 4",
        "d.json": "no report as this version writes it: name: Field required",
    }
    told = Tags(write_history(folder).read_text()).text
    assert "4 files of the archive are left out" in told
    assert all(f.reason in told for f in left_out)


def test_a_run_reported_twice_is_one_entry(tmp_path: Path) -> None:
    folder = kept_in(tmp_path, [report(), report(title="Other words"), night(1, 24.0)])
    assert len(list((folder / "history").iterdir())) == 3
    assert len(read_archive(folder)[0]) == 2


def test_a_loss_of_the_same_models_is_a_regression_beyond_the_tolerance() -> None:
    found = followed(report(), night(1, 23.9), night(2, 23.7), night(3, 23.7), night(4, 24.5))
    assert outcomes(found) == ["", "chance", "regression", "chance", "gain"]
    change = changes(found)[2]
    assert change
    assert (change.same_models, change.low, round(change.value, 3)) == (True, None, -0.2)
    assert change.since == START + timedelta(days=1)


def test_small_steps_of_the_same_models_add_up() -> None:
    found = followed(report(), night(1, 23.92), night(2, 23.84), night(3, 23.80), night(4, 23.75))
    assert outcomes(found) == ["", "chance", "regression", "chance", "chance"]
    change = changes(found)[2]
    assert change
    assert change.crept
    assert change.crept[0] == START
    assert change.crept[1] == pytest.approx(-0.16)


@pytest.mark.parametrize(("cut", "outcome"), [(22.7, "chance"), (22.5, "regression"), (25.3, "chance"), (25.6, "gain")])
def test_new_models_are_compared_by_their_intervals(cut: float, outcome: str) -> None:
    # Half widths of 1 point: that of the difference is the root of 2.
    found = followed(report(), report(1, scored(cut), models="new"))
    assert outcomes(found)[1] == outcome
    change = changes(found)[1]
    assert change
    assert not change.same_models
    assert change.low == pytest.approx(cut - 24 - 2**0.5)


def test_without_intervals_new_models_are_not_judged_and_the_same_ones_are() -> None:
    assert outcomes(followed(report(half=None), report(1, scored(10.0), half=None, models="new"))) == ["", "unknown"]
    assert outcomes(followed(report(half=None), night(1, 10.0, half=None))) == ["", "regression"]


def test_models_whose_digest_is_not_known_are_compared_by_their_intervals() -> None:
    lost = report().provenance.model_copy(update={"nodes": {}})
    found = followed(report(provenance=lost), report(1, scored(23.5), flow="reevaluate", provenance=lost))
    assert outcomes(found) == ["", "chance"]


def test_another_benchmark_is_no_regression_and_the_old_one_is_compared_with_the_old() -> None:
    found = followed(report(), night(1, 10.0, benchmark="b2"), night(2, 23.0), night(3, 9.0, benchmark="b2"))
    assert outcomes(found) == ["", "", "regression", "regression"]
    change = changes(found)[2]
    assert change
    assert change.since == START
    assert next((b.kind, b.at) for b in found.breaks) == ("benchmark", START + timedelta(days=0.5))
    assert len(found.breaks) == 3


def test_other_classes_in_the_mean_are_a_break_too() -> None:
    for changed in (night(1, 10.0, left_out=["sky"]), night(1, 10.0, classes={"road": 1.0})):
        found = followed(report(), changed)
        assert outcomes(found) == ["", ""]
        assert [b.kind for b in found.breaks] == ["classes"]


def test_classes_of_new_models_pass_an_adjustment_and_of_the_same_ones_need_none() -> None:
    names = [f"class {i}" for i in range(19)]
    before = report(classes=dict.fromkeys(names, 0.0))
    fallen = {**dict.fromkeys(names, 0.0), "class 7": -3.2, "class 8": -9.0}  # half widths of 2: of 2.83 together
    assert outcomes(followed(before, report(1, classes=fallen, models="new")), column="class 7") == ["", "chance"]
    assert outcomes(followed(before, report(1, classes=fallen, models="new")), column="class 8") == ["", "regression"]
    alone = {"class 7": -3.2}
    found = followed(report(classes={"class 7": 0.0}), report(1, classes=alone, models="new"))
    assert outcomes(found, column="class 7") == ["", "regression"]
    assert outcomes(followed(before, night(1, 24.0, classes=fallen)), column="class 7") == ["", "regression"]


def test_findings_name_arm_metrics_and_the_worst_classes() -> None:
    before = report(classes={f"c{i}": 0.0 for i in range(9)})
    found = regressions([followed(before, night(1, 24.0, classes={f"c{i}": -float(i) for i in range(9)}))])
    assert [(r.arm, [n for n, _ in r.metrics], [n for n, _ in r.classes], r.more) for r in found] == [
        (arm, [], ["c8", "c7", "c6", "c5", "c4", "c3"], 2) for arm in ARMS
    ]


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ((20, 18, 22), (25, 22, 28), 5 - 13**0.5, 5 + 13**0.5),
        ((20, 19, 24), (25, 22, 26), 0.0, 5 + 2**0.5),  # the skew stays: down by after's lower and before's upper half
        ((0, 0, 0), (5, 3, 7), 3.0, 7.0),
    ],
)
def test_independent_estimates(before: tuple[float, ...], after: tuple[float, ...], low: float, high: float) -> None:
    cells = [Cell(**dict(zip(("value", "low", "high"), ends, strict=True))) for ends in (before, after)]
    found = independent(*cells)
    assert (found.value, found.low, found.high) == (after[0] - before[0], pytest.approx(low), pytest.approx(high))


def test_a_p_value_is_that_of_the_interval() -> None:
    def cells(value: float) -> tuple[Cell, Cell]:
        return Cell(value=20, low=20, high=20 + 1e-12), Cell(value=20 + value, low=19 + value, high=21 + value)

    assert independent(*cells(1)).p == pytest.approx(0.05)
    assert independent(*cells(-1)).p == pytest.approx(0.05)
    assert independent(*cells(0)).p == 1


def test_an_interval_without_width_says_nothing_of_chance() -> None:
    one_image = Cell(value=40, low=40, high=40)
    assert independent(one_image, Cell(value=20, low=19, high=21)).low is None


def test_an_arm_without_real_images_and_one_with_share_a_colour() -> None:
    names = ("real", "source", "translated(a)", "real+translated(a)", "real+source", "translated(b)")
    found = styles([Arm(name) for name in names])
    assert (found["translated(a)"].colour, found["translated(a)"].dash) == ("0", "")
    assert (found["real+translated(a)"].colour, bool(found["real+translated(a)"].dash)) == ("0", True)
    assert (found["real"].colour, found["real+source"].colour) == ("real", "source")
    many = styles([Arm.translated(str(i)) for i in range(COLOURS + 1)])
    assert len(set(many.values())) == COLOURS + 1


def dots(number: int, part: int = 0) -> tuple[Dot, ...]:
    at = [START + timedelta(days=i + part) for i in range(number)]
    return tuple(Dot(a, 20 + i % 3, 19, 22, bool(i), "", part, "said") for i, a in enumerate(at))


def chart(number: int, walls: Sequence[Wall] = ()) -> Tags:
    style = styles([Arm(CUT)])[CUT]
    return Tags(draw([Line("cut", style, dots(number))], walls, WIDE, "mIoU"))


def test_few_entries_have_whiskers_and_many_a_band() -> None:
    few, many = chart(10), chart(365)
    assert (few.count("polygon", **{"class": "band"}), few.count("line", **{"class": "whisker"})) == (0, 10)
    assert (many.count("polygon", **{"class": "band"}), many.count("line", **{"class": "whisker"})) == (1, 0)
    assert (few.count("circle", **{"class": "dot"}), few.count("path", **{"class": "night"})) == (0, 9)
    assert (many.count("circle", **{"class": "dot"}), many.count("path", **{"class": "night"})) == (364, 0)
    assert few.count("path", **{"class": "run"}) == many.count("path", **{"class": "run"}) == 1


def test_a_line_breaks_where_scores_are_not_comparable() -> None:
    line = Line("cut", styles([Arm(CUT)])[CUT], (*dots(3), *dots(3, 5)))
    drawn = Tags(draw([line], [], WIDE, "mIoU"))
    assert drawn.count("polyline") == 2
    assert drawn.count("g", **{"class": "mark"}) == 6


def test_names_at_the_ends_do_not_overlap_and_walls_only_have_labels_with_room() -> None:
    style = styles([Arm(CUT)])[CUT]
    drawn = Tags(draw([Line(f"arm {i}", style, dots(4)) for i in range(12)], [], WIDE, "mIoU"))
    heights = sorted(float(a["y"] or 0) for t, a in drawn.tags if t == "text" and a.get("class") == "name")
    assert len(heights) == 12
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 14.9
    walls = [Wall(START + timedelta(days=d), "benchmark changed", f"said {d}") for d in (1, 1.1, 8.9)]
    found = chart(10, walls)
    assert found.text.count("benchmark changed") == 2
    assert re.search(r"said 1 benchmark changed said 1\.1 said 8\.9 benchmark changed", found.text)
    (label,) = [a for t, a in found.tags if t == "text" and a.get("text-anchor") == "end" and "class" not in a]
    assert float(label["x"] or 0) < WIDE.width - WIDE.right


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=lambda s: s.name)
@pytest.mark.parametrize("days", [0, 1e-5, 1.5, 30, 4000])
def test_nothing_leaves_the_drawing(size: Size, days: float) -> None:
    at = [START, START + timedelta(days=days)]
    line = Line("cut", styles([Arm(CUT)])[CUT], tuple(Dot(a, 20, 19, 22, False, "gain", 0, "said") for a in at))
    drawn = Tags(draw([line], [], size, "mIoU", with_zero=True))
    places = [
        (k, float(v or 0)) for _, a in drawn.tags for k, v in a.items() if k in {"x", "y", "x1", "x2", "y1", "y2"}
    ]
    assert all(0 <= v <= (size.width if k[0] == "x" else size.height) for k, v in places)


@pytest.mark.parametrize("score", [0.0, 100.0])
def test_an_axis_ends_where_scores_end_and_one_of_differences_says_their_signs(score: float) -> None:
    line = Line("cut", styles([Arm(CUT)])[CUT], (Dot(START, score, None, None, False, "", 0, "said"),))
    scores = re.findall(r'class="tick" text-anchor="end">([^<]+)<', draw([line], [], WIDE, "mAP"))
    assert (scores[0], scores[-1]) == (("0.0", "1.0") if score == 0 else ("99.0", "100.0"))
    near = re.findall(r'class="tick" text-anchor="end">([^<]+)<', draw([line], [], WIDE, "mAP", with_zero=True))
    assert "+0.4" in near if score == 0 else "+100" in near


def test_a_planted_regression_is_first_on_the_page_and_a_harmless_change_is_not(tmp_path: Path) -> None:
    fallen = Tags(page(tmp_path / "a", report(), night(1, 22.6)))
    assert "Latest entry (2026-03-02 03:00, nightly re-evaluation): 1 arm regressed" in fallen.text
    assert "Translated (cut) : mIoU 24.0 → 22.6 ( −1.4 )" in fallen.text
    assert fallen.count("path", **{"class": "regression"}) == 3  # the wide chart, the narrow one, the key
    fine = Tags(page(tmp_path / "b", report(), report(1, scored(23.4), models="new")))
    assert "no regression" in fine.text
    assert fine.count("path", **{"class": "regression"}) == 1
    moved = Tags(page(tmp_path / "c", report(), night(1, 10.0, benchmark="b2")))
    assert "nothing comparable came before it" in moved.text
    assert "benchmark changed before 2026-03-02 03:00" in moved.text


def test_earlier_regressions_are_listed_with_their_date_and_the_rest_counted(tmp_path: Path) -> None:
    up_and_down = [night(i, 24.0 - i % 2) for i in range(1, 82)]
    told = Tags(page(tmp_path, report(), *up_and_down, night(82, 23.0))).text
    assert "Earlier regressions 2026-05-21 03:00" in told
    assert "11 still earlier regressions are not listed." in told
    assert told.count("mIoU 24.0 → 23.0") == 30


def test_no_entry_one_entry_and_two(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "A trend needs two reports; there are 0 so far." in Tags(page(tmp_path / "none")).text
    one = Tags(page(tmp_path / "one", report()))
    assert "A trend needs two reports; there is one so far." in one.text
    assert one.count("svg", **{"class": "wide"}) == 2
    two = Tags(page(tmp_path / "two", report(), night(1, 24.0)))
    assert "A trend needs" not in two.text
    assert "2 reports, 1 of them nightly, 2026-03-01 03:00 to 2026-03-02 03:00 UTC" in two.text


def test_a_year_of_nights_is_quick_and_its_table_short(tmp_path: Path) -> None:
    arms = {**ARMS, "translated(vsait)": 25.0, "real+translated(cut)": 41.0}
    year = [report(i, arms, flow="reevaluate", classes={f"c{k}": 0.0 for k in range(19)}) for i in range(365)]
    (tmp_path / "history").mkdir()
    for i, found in enumerate(year):
        (tmp_path / f"history/{i:03}.json").write_text(found.model_dump_json(by_alias=True))
    start = time.process_time()
    text = write_history(tmp_path).read_text()
    assert time.process_time() - start < 10  # about one second on an idle core
    assert len(text) < 3_000_000
    told = Tags(text)
    assert told.count("tr") == 2 * (LAST + 1)
    assert "335 earlier entries are in the charts only." in told.text


def test_scores_with_intervals_and_changes_are_in_the_table(tmp_path: Path) -> None:
    text = page(tmp_path, report(), report(1, scored(20.0), models="new"), night(2, 20.0, models="new"))
    told = Tags(text).text
    assert "▼ −4.0 20.0 [19.0, 21.0]" in told
    assert "2026-03-01 03:00 full run 40.0 [39.0, 41.0] 20.0 [19.0, 21.0] 24.0 [23.0, 25.0]" in told
    assert "+4.0 [3.0, 5.0]" in told  # the translators' table: to the baseline of the same run
    assert 'title="regression (newly trained models)"' in text


def test_detection_has_a_chart_and_a_table_of_each_metric(tmp_path: Path) -> None:
    told = Tags(page(tmp_path, report(tasks=("detection",)), report(1, tasks=("detection",), models="n")))
    assert all(f"{metric} over time" in told.text for metric in ("mAP", "AP50"))
    assert "AP50 of the last entries" in told.text


def test_an_arm_or_a_task_that_comes_and_goes(tmp_path: Path) -> None:
    first = report(arms={"source": 20.0}, tasks=("segmentation", "detection"))
    told = Tags(page(tmp_path, first, report(1, models="n"), report(2, arms={"source": 21.0}, models="k")))
    assert told.text.count("Detection") >= 2
    assert "2026-03-02 03:00 full run" in told.text


def test_a_report_in_which_nothing_was_scored(tmp_path: Path) -> None:
    told = Tags(page(tmp_path, report(tables=()), report(1, tables=(), models="n")))
    assert "nothing comparable came before it" in told.text


def test_no_regression_is_not_said_of_what_was_not_judged(tmp_path: Path) -> None:
    bare: dict[str, Any] = {"half": None, "class_half": None}
    new = report(1, scored(10.0), models="new", **bare)
    told = Tags(page(tmp_path / "a", report(**bare), new)).text
    assert "3 arms could not be judged" in told
    assert "no regression" not in told
    assert "with 95 % intervals" not in told
    assert "points, with 95 % intervals" in Tags(page(tmp_path / "b", report(), night(1, 24.0))).text


def test_names_with_html_are_text(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>"
    arms = {"source": 20.0, f"translated({bad})": 24.0}
    fallen = {"source": 20.0, f"translated({bad})": 20.0}
    classes = {"<b>road</b>": 0.0}
    text = page(tmp_path, *(report(i, a, name=bad, classes=classes, flow=bad) for i, a in enumerate((arms, fallen))))
    tags = Tags(text)
    assert tags.count("script") == 0
    assert f"Translated ({bad})" in tags.text
    assert "<b>road</b>" in tags.text


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    text = page(tmp_path, report(), night(1, 24.0))
    links = [v for _, a in Tags(text).tags for k, v in a.items() if k in {"src", "href", "srcset", "data", "action"}]
    assert all((v or "").startswith(("#", "data:")) for v in links)
    assert "url(" not in text
    assert "http" not in re.sub(r"http://www\.w3\.org", "", text)


def test_the_page_in_korean(tmp_path: Path) -> None:
    text = page(tmp_path, report(), night(1, 22.6), language="ko")
    assert '<html lang="ko">' in text
    assert "성능 저하" in text
    said = Tags(text).text.split("}", 1)[-1]
    english = [v for k, v in catalogue("en").items() if k.startswith("history.") and isinstance(v, str)]
    assert not [v for v in english if "{" not in v and len(v) > 12 and v in said]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_lines_stand_out_from_the_page_in_both_themes(tmp_path: Path) -> None:
    text = page(tmp_path, report(), night(1, 24.0))
    found: Mapping[str, tuple[str, str]] = {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    }
    arms = {n: c for n, c in found.items() if n.startswith("arm-")}
    assert len(arms) == COLOURS + 2
    for theme in (0, 1):
        card = luminance(found["card"][theme])
        for name, colours in {**arms, "ink": found["ink"], "soft": found["soft"]}.items():
            high, low = sorted((card, luminance(colours[theme])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, theme)


def test_written_over_and_over_the_page_is_the_same(tmp_path: Path) -> None:
    text = page(tmp_path, report(), night(1, 24.0))
    assert write_history(tmp_path) == tmp_path / HISTORY
    assert (tmp_path / HISTORY).read_text(encoding="utf-8") == text


def test_a_regression_is_a_plain_record() -> None:
    (found,) = regressions([followed(report(), night(1, 22.6, classes={"road": 10.0, "sky": 1.4}))])
    assert isinstance(found, Regressed)
    assert [n for n, _ in found.metrics] == ["mIoU"]
    assert [n for n, _ in found.classes] == ["road"]

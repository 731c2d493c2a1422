"""Translators at a glance: each value from where it was measured, the best marked, what is missing with its reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tasks.contracts.record import Failure
from tasks.report.build import build_report
from tasks.report.config import ReportConfig
from tasks.report.csvs import tables
from tasks.report.figures.page import of_translators
from tasks.report.glance import Glance, GlanceRow
from tasks.report.html import render_html
from tasks.report.markdown import render_markdown
from tests.report.findings import audit, compared, difference

ARMS = {
    ("segmentation", "source", 0): 0.2,
    ("segmentation", "translated(cut)", 0): 0.25,
    ("segmentation", "real+source", 0): 0.3,
    ("segmentation", "real+translated(fda)", 0): 0.28,
}
GAIN = {
    ("translated(cut)", "source"): difference(5, 3, 7, "improves"),
    ("real+translated(fda)", "real+source"): difference(-2, -3, -1, "harms"),
}


def glance_of(fake: Any, **about: Any) -> Glance:
    run = fake(ARMS, **{"translators": ("cut", "fda"), "comparison": compared(ARMS, GAIN), **about})
    found = build_report(run.record(), ReportConfig()).glance
    assert found is not None
    return found


def row_of(found: Glance, name: str) -> GlanceRow:
    return next(row for row in found.rows if row.name == name)


def test_values_are_those_of_audit_tables_and_manifests(fake: Any) -> None:
    whole = audit("cut")
    found = glance_of(fake, audits={"cut": whole})
    cut, source = row_of(found, "cut"), row_of(found, "source")
    assert whole.flips is not None
    assert (found.distance, found.judge_miou) == (whole.distances[0].name, whole.flips.real_miou)
    assert cut.cell("distance").value == whole.distances[0].after
    assert source.cell("distance").value == whole.distances[0].before
    assert (cut.cell("flips").value, source.cell("flips").value) == (whole.flips.share.value, 0.0)
    assert cut.cell("accuracy").value == whole.flips.translated_accuracy
    assert cut.cell("speed").value == 12.5
    assert cut.cell("training").value is not None
    gain = cut.cell("segmentation")
    assert (gain.value, gain.low, gain.high, gain.outcome) == (5, 3, 7, "improves")


def test_images_that_were_only_added_to_real_ones_are_compared_with_the_same_mix(fake: Any) -> None:
    gain = row_of(glance_of(fake), "fda").cell("segmentation")
    assert (gain.value, gain.outcome) == (-2, "harms")
    assert gain.about == "Real + translated (fda) against Real + simulator"


def test_what_is_missing_has_its_reason(fake: Any) -> None:
    failures = [Failure(task="detection", arm="translated(cut)", seed=0, error="boom")]
    found = glance_of(fake, audits={"cut": audit("cut", judged=False)}, failures=failures, translators=("cut", "fda"))
    cut, fda = row_of(found, "cut"), row_of(found, "fda")
    assert cut.cell("flips").missing == "no segmentation model was there to judge"
    assert fda.cell("flips").missing == "the images were not audited"
    assert cut.cell("detection").missing == "every model of this task failed"
    assert all((cell.value is None) == bool(cell.missing) for row in found.rows for cell in row.cells)


def test_the_best_is_marked_and_no_control_can_be_it(fake: Any) -> None:
    def flipping(name: str, share: float, distance: float) -> Any:
        made = audit(name)
        assert made.flips is not None
        rate = made.flips.share.model_copy(update={"value": share})
        near = made.distances[0].model_copy(update={"after": distance})
        flips = made.flips.model_copy(update={"share": rate})
        return made.model_copy(update={"flips": flips, "distances": (near,)})

    audits = {
        "identity": flipping("identity", 0.0, 9.0),
        "cut": flipping("cut", 0.1, 2.0),
        "fda": flipping("fda", 0.2, 3.0),
    }
    found = glance_of(fake, translators=("identity", "cut", "fda"), audits=audits)
    best = {(row.name, cell.measure) for row in found.rows for cell in row.cells if cell.best}
    assert {("cut", "flips"), ("cut", "distance")} <= best
    assert not any(name in ("identity", "source") for name, _ in best)
    assert not any(measure == "speed" for _, measure in best), "all print the same"
    (drawn,) = of_translators(found)
    assert len(re.findall(r"labels kept \d", str(drawn.svg))) == 3, (
        "simulator, cut and fda; the control lies on the first"
    )


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_renderer_has_it(fake: Any, language: Any) -> None:
    run = fake(ARMS, translators=("cut", "fda"), comparison=compared(ARMS, GAIN), audits={"cut": audit("cut")})
    report = build_report(run.record(), ReportConfig(language=language))
    page, text, rows = render_html(report, 96), render_markdown(report), tables(report)["glance"]
    assert page.index('id="verdict-segmentation"') < page.index('id="glance"') < page.index('id="gates"')
    assert page.index('class="grid strip"') < page.index('class="glance"')
    assert "▲ +5.0 [3.0, 7.0]" in text
    assert {(r["name"], r["measure"]) for r in rows} >= {("cut", "distance"), ("source", "flips")}


def test_a_run_without_translators_has_none(fake: Any) -> None:
    run = fake({("segmentation", "source", 0): 0.2}, translators=())
    report = build_report(run.record(), ReportConfig())
    assert report.glance is None
    assert 'id="glance"' not in render_html(report, 96)

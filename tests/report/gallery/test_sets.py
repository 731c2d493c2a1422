"""What pictures are chosen from: images by id and by their source, and the judges' evaluations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.report.config import ReportConfig
from tasks.report.gallery.sets import Sets, everywhere, spread
from tasks.report.reading import Reader
from tests.report.findings import audit
from tests.report.gallery.conftest import NAMES, World, detail_check

Make = Callable[..., World]


@pytest.mark.parametrize(("number", "wanted"), [(0, []), (1, ["c"]), (2, ["b", "d"]), (5, [*"abcde"]), (9, [*"abcde"])])
def test_items_are_spread_evenly(number: int, wanted: list[str]) -> None:
    assert spread([*"abcde"], number) == wanted


def test_variants_belong_to_their_source(world: Make) -> None:
    found = audit(classes=NAMES, checks=[detail_check("SignSymbol", ("1__v0",))])
    run = world(suffix="__v0", found=found)
    grids, problems = run.drawn()
    assert problems == []
    of = {g.kind: g for g in grids}
    assert [r.id for r in of["translation"].rows] == ["0", "1", "2", "3"]
    assert all(p.missing is None for r in of["translation"].rows for p in r.pictures)
    assert [r.id for r in of["flips"].rows] == ["2__v0"]
    before, after = of["flips"].rows[0].pictures[2:]
    assert (before.label.name, after.label.name) == ("2.png", "2__v0.png")  # type: ignore[union-attr]
    assert of["flips"].rows[0].pictures[0].pixels is not None
    assert [r.id for r in of["lost"].rows] == ["SignSymbol, 1__v0", "SignSymbol, 1__v0"]
    assert [p.missing for r in of["nearest"].rows for p in r.pictures] == [None] * 15
    assert of["clip"].rows[0].pictures[0].frames is not None


def test_images_that_a_set_lacks_are_not_chosen(world: Make) -> None:
    sets = Sets.read(world(translators=("cut", "fda")).record(), ReportConfig(), Reader())
    assert sets.source is not None
    del sets.translated["fda"].by_source["2"]
    assert everywhere(sets.source, sets.translated.values()) == ["0", "1", "3"]
    assert sets.translated["fda"].of_source("2") is None


def test_controls_change_nothing(world: Make) -> None:
    sets = Sets.read(world(translators=("cut", "identity")).record(), ReportConfig(), Reader())
    assert set(sets.translated) == {"cut", "identity"}
    assert set(sets.changed) == {"cut"}


def test_judges_are_found_by_their_roles(world: Make) -> None:
    sets = Sets.read(world(judges=("source", "real")).record(), ReportConfig(), Reader())
    folders = sets.judged("cut")
    assert set(folders) == {"source", "real"}
    assert all((folder / "features.parquet").is_file() for folder in folders.values())
    assert sets.judged("another") == {}

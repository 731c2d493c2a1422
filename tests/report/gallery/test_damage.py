"""Whatever file is lost, cut off or of another kind: there are galleries, and nobody's folders are in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tasks.contracts.record import RunRecord
from tasks.report.gallery import build
from tasks.report.gallery.pictures import pack
from tests.report.gallery.conftest import World, inputs

Make = Callable[..., World]
ORDER = ["strip", "datasets", "translation", "real", "nearest", "flips", "lost", "clip", "predictions"]


def victims(record: RunRecord) -> dict[str, Path]:
    """A file of each kind."""
    return {
        "source image": record.source.file("images/2.png"),
        "source mask": record.source.file("masks/2.png"),
        "source table": record.source.file("samples.parquet"),
        "target image": record.target.file("images/0.png"),
        "target table": record.target.file("samples.parquet"),
        "benchmark mask": record.benchmark.file("masks/1.png"),
        "benchmark table": record.benchmark.file("samples.parquet"),
        "translated image": record.translated["cut"].file("images/2.png"),
        "translated mask": record.translated["cut"].file("masks/2.png"),
        "translated table": record.translated["cut"].file("samples.parquet"),
        "translated manifest": record.translated["cut"].file("artifact.json"),
        "audit": record.audits["cut"].file("audit.json"),
        "audit's images": record.audits["cut"].file("images.parquet"),
        "audit's manifest": record.audits["cut"].file("artifact.json"),
        "prediction before": inputs(record, "judged_source") / "predictions/2.png",
        "prediction after": inputs(record, "judged_translated") / "predictions/2.png",
        "features": inputs(record, "judged_translated") / "features.parquet",
        "real features": inputs(record, "judged_real") / "features.parquet",
        "source features": inputs(record, "judged_source") / "features.parquet",
    }


def damage(path: Path, how: str) -> None:
    if how == "lost":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif path.suffix == ".png":
        Image.new("RGB", (7, 5)).save(path)
    else:
        path.write_text('{"other": []}')


NAMES = [
    *("source image", "source mask", "source table", "target image", "target table", "benchmark mask"),
    *("benchmark table", "translated image", "translated mask", "translated table", "translated manifest", "audit"),
    *("audit's images", "audit's manifest", "prediction before", "prediction after", "features", "real features"),
    "source features",
]


def test_whole_sets_give_every_kind_in_order(world: Make) -> None:
    grids, problems = world().drawn()
    assert [g.kind for g in grids] == ORDER
    assert problems == []


@pytest.mark.parametrize("how", ["lost", "empty", "cut", "other"])
@pytest.mark.parametrize("name", NAMES)
def test_damage_costs_its_part_alone(world: Make, caplog: pytest.LogCaptureFixture, name: str, how: str) -> None:
    run = world()
    record = run.record()
    files = victims(record)
    assert list(files) == NAMES
    damage(files[name], how)
    grids, problems = run.drawn(record=record)
    packed = [pack(p, g.legend, 480) for g in grids for r in g.rows for p in r.pictures]
    told = json.dumps([problems, [p.missing for p in packed], [g.model_dump(mode="json") for g in grids]])
    assert "could not be made" not in caplog.text  # nobody's last resort was needed
    assert str(run.root) not in told
    whole = how == "other" and name.endswith(" image")  # another picture in its place is a picture
    assert whole or problems or any(p.uri is None for p in packed) or "not outlined" in told
    survivors = {"datasets", "clip", "real", "predictions"} if "table" not in name else {"datasets"}
    assert survivors <= {g.kind for g in grids}


def test_what_nobody_thought_of_costs_one_kind(world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/place")

    monkeypatch.setattr(build, "worst_flips", broken)
    grids, problems = world().drawn()
    assert [g.kind for g in grids] == [kind for kind in ORDER if kind != "flips"]
    assert problems == ["Pictures could not be made: worst flips (RuntimeError); the log says more."]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_text_is_there_in_every_language(world: Make, language: str) -> None:
    grids, _ = world().drawn(language=language)
    assert [g.kind for g in grids] == ORDER
    korean = any("가" <= c <= "힣" for g in grids for c in g.title + g.note)
    assert korean == (language == "ko")


def test_an_empty_run(world: Make) -> None:
    grids, problems = world(images=0, judges=(), translators=()).drawn()
    assert problems == []
    assert not any(p for g in grids for r in g.rows for p in r.pictures)

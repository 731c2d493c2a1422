"""What was left out: written as codes with values, read back, and told in both languages."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import pytest

from tasks.catalogue.language import say, speaking
from tasks.contracts.finding import Finding
from tasks.datasets.errors import DatasetError, ImageError, MalformedError, Rejection
from tasks.datasets.rejected import read_rejected, tell_rejected, write_rejected

ROOT = Path("/data/set")


def left_out() -> list[Rejection]:
    missing = Finding.of("data.no_file", file=ROOT / "masks" / "1.png")
    counts = tuple(Finding.of("data.value_pixels", value=v, n=n) for v, n in (("7", 3), ("9", 1)))
    box = Finding.of("data.unknown_class", name="tram, blue", key="maps.x.boxes")
    return [
        Rejection(ROOT / "images" / "1.png", Finding.of("data.image_without_label", missing=missing), "paired"),
        Rejection(ROOT / "masks" / "2.png", Finding.of("data.unknown_ids", values=counts, more=""), "classes"),
        Rejection(ROOT / "boxes.txt", Finding.of("data.in_line", line=4, why=box), "boxes", "box"),
        Rejection(Path("/elsewhere/3.png"), Finding.of("data.empty"), "decodable"),
    ]


def test_no_sentence_and_no_place_of_the_set_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    write_rejected(path, left_out(), ROOT)
    rows = list(csv.reader(path.open(encoding="utf-8")))
    assert rows[0] == ["file", "cause", "kind", "code", "values"]
    assert rows[1][:4] == ["images/1.png", "paired", "image", "data.image_without_label"]
    assert rows[3] == [
        *("boxes.txt", "boxes", "box", "data.in_line"),
        '{"line": 4, "why": {"code": "data.unknown_class", "values": {"name": "tram, blue", "key": "maps.x.boxes"}}}',
    ]
    assert str(ROOT) not in path.read_text(encoding="utf-8")


def test_what_was_written_is_read_back_where_the_set_lies_now(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    write_rejected(path, left_out(), ROOT)
    found = read_rejected(path, Path("/moved"))
    assert [r.file for r in found] == [Path(f) for f in ("/moved/images/1.png", "/moved/masks/2.png")] + [
        Path("/moved/boxes.txt"),
        Path("/elsewhere/3.png"),
    ]
    assert [(r.cause, r.kind, r.finding.code) for r in found] == [(r.cause, r.kind, r.finding.code) for r in left_out()]
    assert [say(r.finding) for r in found] == [say(r.finding.below(ROOT)) for r in left_out()]


@pytest.mark.parametrize(
    ("language", "reasons"),
    [
        (
            "en",
            [
                "image without label: no masks/1.png",
                "unknown ids: 7 (3 pixels); 9 (1 pixels)",
                "line 4: class 'tram, blue' is not in the taxonomy's maps.x.boxes",
                "is empty (0 bytes)",
            ],
        ),
        (
            "ko",
            [
                "레이블 없는 이미지: masks/1.png 없음",
                "알 수 없는 ID: 7 (3픽셀); 9 (1픽셀)",
                "4번째 줄: 클래스 'tram, blue'이(가) 클래스 체계의 maps.x.boxes에 없음",
                "빈 파일 (0바이트)",
            ],
        ),
    ],
)
def test_told_for_people(tmp_path: Path, language: str, reasons: list[str]) -> None:
    write_rejected(tmp_path / "rejected.csv", left_out(), ROOT)
    with speaking(language):  # type: ignore[arg-type]
        tell_rejected(tmp_path / "told.csv", read_rejected(tmp_path / "rejected.csv"))
    rows = list(csv.DictReader((tmp_path / "told.csv").open(encoding="utf-8")))
    assert [row["reason"] for row in rows] == reasons
    assert [row["code"] for row in rows] == [r.finding.code for r in left_out()]
    assert [row["file"] for row in rows] == ["images/1.png", "masks/2.png", "boxes.txt", "/elsewhere/3.png"]


@pytest.mark.parametrize(
    "content", ["file,reason,check\na.png,is empty,decodable\n", "file,cause,kind,code,values\na\n"]
)
def test_a_list_of_another_form(tmp_path: Path, content: str) -> None:
    (tmp_path / "rejected.csv").write_text(content)
    with pytest.raises(DatasetError, match=r"rejected\.csv: is no list of what this version leaves out"):
        read_rejected(tmp_path / "rejected.csv")


def test_errors_are_a_line_in_the_spoken_language() -> None:
    image = ImageError(Path("a.png"), Finding.of("data.empty"))
    whole = DatasetError(Finding.of("data.export_empty"), "drives")
    assert (str(image), str(whole)) == (
        "a.png: is empty (0 bytes)",
        "drives: the table has no images, so there is nothing to export",
    )
    with speaking("ko"):
        assert str(image) == "a.png: 빈 파일 (0바이트)"
        assert str(MalformedError("data.no_category")) == "카테고리가 없음"
    sent = pickle.loads(pickle.dumps(image))
    assert (str(sent), sent.cause) == (str(image), "decodable")

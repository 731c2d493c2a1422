"""Images that another program made: found by name, of the right size, read as all others are, and part of the key."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.catalogue.language import say, speaking
from tasks.contracts.artifact import Artifact
from tasks.datasets.errors import DatasetError, ImageError
from tasks.datasets.images import PixelError, read_image
from tasks.datasets.table import SampleTable
from tasks.store.files import write_png
from tasks.store.manifest import Manifest, StoreError
from tasks.store.store import Store
from tasks.translate.errors import OutsideError
from tasks.translate.make_translated import build_translated, translated_recipe
from tasks.translate.outside.matching import images_below, matched
from tasks.translate.outside.preflight import source_problems
from tasks.translate.preflight import translator_problems
from tasks.translate.sections.images import OutsideImages
from tests.workers import HERE

Make = Callable[..., SampleTable]


def section(*folders: Path, **more: Any) -> OutsideImages:
    return OutsideImages.model_validate({"method": "images", "folders": folders, **more})


def inverted(table: SampleTable, folder: Path, name: Callable[[str], str] = "{}.png".format) -> Path:
    """Write the inverse of every image, as another program would."""
    for sample in table:
        path = folder / name(sample.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), 255 - cv2.imread(str(sample.image)))  # type: ignore[operator]
    return folder


def build(config: OutsideImages, source: Artifact, tmp_path: Path) -> Artifact:
    return build_translated(config, source, source, None, Store(tmp_path / "store"), HERE)


def test_images_become_a_translated_set_of_their_own_digest(
    table: SampleTable, source: Artifact, tmp_path: Path
) -> None:
    folder = inverted(table, tmp_path / "made")
    made = build(section(folder), source, tmp_path)
    result = SampleTable.read(made.path)
    for before, after in zip(table, result, strict=True):
        assert np.array_equal(read_image(after.image), 255 - read_image(before.image))
        assert (after.id, after.boxes, after.mask) == (before.id, before.boxes, before.mask)
    listed = {f.path: f.sha256 for f in Manifest.read(made.path).files}
    assert listed == {f"images/{s.id}.png": s.sha256 for s in result} | {
        "samples.parquet": listed["samples.parquet"],
    }
    assert Manifest.read(made.path).summary["images_per_second"] is None  # of reading them, which says nothing
    assert build(section(folder, name="other"), source, tmp_path).cached
    moved = folder.rename(tmp_path / "moved")
    assert build(section(moved), source, tmp_path).cached
    cv2.imwrite(str(moved / "s1.png"), np.zeros((36, 40, 3), np.uint8))
    again = build(section(moved), source, tmp_path)
    assert not again.cached
    assert not read_image(again.path / "images/s1.png").any()


def test_folders_are_variants(table: SampleTable, source: Artifact, tmp_path: Path) -> None:
    a, b = inverted(table, tmp_path / "a"), inverted(table, tmp_path / "b", "{}.webp".format)
    result = SampleTable.read(build(section(a, b), source, tmp_path).path)
    assert [s.id for s in result] == [f"s{n}__v{k}" for n in range(3) for k in range(2)]
    assert {s.extra["of"] for s in result} == {"s0", "s1", "s2"}


@pytest.mark.parametrize(
    ("image", "id_", "made"),
    [
        ("s/0.png", "s__0", "s__0.jpg"),  # its id
        ("s/0.png", "s__0", "s/0.PNG"),  # its folders
        ("s/0.png", "s__0", "0.webp"),  # its file's name alone
        ("s/0.png", "s__0", "deep/er/s__0.png"),  # its id in folders of the program's
        ("s/한글.png", "s__한글", "s/한글.png"),  # as macOS spells it
        ("a.b.png", "a.b", "a.b.png"),
    ],
)
def test_names_that_are_an_images(make_table: Make, tmp_path: Path, image: str, id_: str, made: str) -> None:
    table = make_table("one", 1)
    named = SampleTable.from_samples([replace(table[0], image=tmp_path / image, id=id_)], table.info, tmp_path)
    found = matched(named, tmp_path / "made", [tmp_path / "made" / made])
    assert (found.problem(), found.others) == (None, [])
    assert found.files == {id_: tmp_path / "made" / made}


def test_names_end_as_the_program_ends_them(table: SampleTable, tmp_path: Path) -> None:
    folder = inverted(table, tmp_path / "made", "{}_fake_B.png".format)
    inverted(table, folder, "{}_real_A.png".format)
    found = matched(table, folder, images_below(folder), "_fake_B")
    assert set(found.files) == {"s0", "s1", "s2"}
    assert len(found.others) == 3


def test_a_folder_below_ones_home(table: SampleTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    inverted(table, tmp_path / "made", "other_{}.png".format)
    ((place, sentence),) = told(section(Path("~/made")), table)
    assert place == ("folders", 0)
    assert sentence.endswith("3 files there are named like none of them: other_s0.png, other_s1.png, other_s2.png")


def told(config: OutsideImages, table: SampleTable) -> list[tuple[tuple[str | int, ...], str]]:
    problems = list(translator_problems(config)) or list(source_problems(config, table))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(p.place, say(p.finding)) for p in problems]


def test_missing_images_are_counted_and_named(table: SampleTable, source: Artifact, tmp_path: Path) -> None:
    folder = inverted(table, tmp_path / "made")
    assert told(section(folder), table) == []
    (folder / "s0.png").rename(folder / "other.png")
    (folder / "s2.png").unlink()
    sentence = f"{folder} has no file for 2 of the source's 3 images: s0, s2. 1 file there is named like none of them: "
    assert told(section(folder), table) == [(("folders", 0), f"{sentence}other.png")]
    with pytest.raises(OutsideError, match="has no file for 2 of the source's 3 images: s0, s2"):
        build(section(folder), source, tmp_path)
    assert told(section(tmp_path / "none"), table)[0][1].startswith(f"there is no folder {tmp_path / 'none'};")
    with pytest.raises(DatasetError, match="no such folder"):
        build(section(tmp_path / "none"), source, tmp_path)


def test_unclear_names(table: SampleTable, tmp_path: Path) -> None:
    folder = inverted(table, tmp_path / "made")
    inverted(table, folder, "{}.jpg".format)
    assert told(section(folder), table)[0][1].endswith("s0.png are both named like s0: keep one of them")
    alike = [replace(s, id=f"{d}__0", image=tmp_path / d / "0.png") for d, s in zip("ab", table, strict=False)]
    twins = SampleTable.from_samples(alike, table.info, tmp_path)
    found = matched(twins, folder, [folder / "0.png"]).problem()
    assert found is not None
    assert say(found).startswith(f"{folder / '0.png'} may belong to a__0, b__0: name it by an id")


def test_files_of_no_image_are_told(
    table: SampleTable, source: Artifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = inverted(table, tmp_path / "made")
    (folder / "s0.png").rename(folder / "s0.jpg")  # what is in it says what it is
    cv2.imwrite(str(folder / "grid.png"), np.zeros((8, 8, 3), np.uint8))
    with caplog.at_level("INFO"):
        build(section(folder), source, tmp_path)
    assert f"1 files of {folder} belong to no image of the source, such as grid.png" in caplog.text


def test_another_size_is_named_or_resized(table: SampleTable, source: Artifact, tmp_path: Path) -> None:
    folder = inverted(table, tmp_path / "made")
    cv2.imwrite(str(folder / "s1.png"), np.full((18, 20, 3), 7, np.uint8))
    cv2.imwrite(str(folder / "s2.png"), np.full((72, 80, 3), 9, np.uint8))
    with pytest.raises(PixelError, match=r"s1\.png: is 20x18, but s1, which it was made of, 40x36: have it made"):
        build(section(folder), source, tmp_path)
    result = build(section(folder, resize=True), source, tmp_path)
    for k, value in ((1, 7), (2, 9)):
        assert np.array_equal(read_image(result.path / f"images/s{k}.png"), np.full((36, 40, 3), value))


def test_half_an_image_is_named(table: SampleTable, source: Artifact, tmp_path: Path) -> None:
    folder = inverted(table, tmp_path / "made")
    content = (folder / "s2.png").read_bytes()
    (folder / "s2.png").write_bytes(content[:-20])
    with pytest.raises(ImageError, match=r"s2\.png: "):
        build(section(folder), source, tmp_path)
    (folder / "s2.png").write_bytes(content)
    assert not build(section(folder), source, tmp_path).cached


def test_images_that_change_meanwhile_are_not_taken(
    table: SampleTable, source: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inverted(table, tmp_path / "made")
    config = section(folder)

    def write(path: Path, image: NDArray[np.uint8]) -> None:
        write_png(path, image)
        cv2.imwrite(str(folder / "s0.png"), np.zeros((36, 40, 3), np.uint8))

    monkeypatch.setattr("tasks.translate.apply.write_png", write)
    with pytest.raises(StoreError, match="translator images: its files were changed while it worked"):
        build(config, source, tmp_path)
    assert not list((tmp_path / "store" / "translated").glob("*/*"))
    assert translated_recipe(config, source, source, None, "cpu").config["images"]

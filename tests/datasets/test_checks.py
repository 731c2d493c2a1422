"""The checks of data sets: each fault is planted alone, and exactly its check must find it."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from tasks.catalogue.language import say, speaking
from tasks.contracts.check import Check
from tasks.contracts.finding import Finding
from tasks.datasets.checks.leaks import closest
from tasks.datasets.checks.model import CheckedSet, line_of
from tasks.datasets.checks.page import print_checks, write_page
from tasks.datasets.checks.run import run_checks
from tasks.datasets.config import ChecksConfig, DatasetsConfig, SampleDataset
from tasks.datasets.errors import Cause, Rejection
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.phash import distances, perceptual_hash
from tasks.datasets.rejected import write_rejected
from tasks.datasets.table import Box, Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.recipe import Recipe
from tasks.store.store import Store

SIZE = (48, 36)
INFO = TableInfo(
    dataset="drives",
    classes=tuple(SegmentationClass(name=n, color=(0, 0, 0)) for n in ("road", "sky", "pole")),
    detection=("car", "person"),
    encoding=MaskEncoding(kind="index", indices={0: 0, 1: 1, 2: 2}),
    boxes_from="instances",
)
PIXELS = (1000, 500, 100)
BOXES = (Box(0, 1, 1, 9, 9), Box(1, 10, 1, 14, 9))
EMPTY = Finding.of("data.empty")
Change = Callable[[Sample], Sample]


def config(max_rejected: float = 0.5, **checks: Any) -> DatasetsConfig:
    sample = SampleDataset(format="sample", side="real")
    sets = dict(source=sample, target=sample, benchmark=sample)
    return DatasetsConfig(taxonomy=Path("x"), checks=ChecksConfig(**checks), max_rejected=max_rejected, **sets)


class Sets:
    """Three small clean sets that a test damages."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.samples = {role: [self.sample(role, n) for n in range(6)] for role in ("source", "target", "benchmark")}
        self.infos = dict.fromkeys(self.samples, INFO) | {"source": INFO.model_copy(update={"dataset": "sim"})}
        self.rejected: dict[str, list[Rejection]] = {role: [] for role in self.samples}

    def sample(self, role: str, number: int) -> Sample:
        rng = np.random.default_rng([ord(role[0]), number])
        image = Image.fromarray(rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8))
        path = self.root / role / "images" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        sample = Sample(
            id=f"{role}_{number}",
            image=path,
            mask=self.root / role / "masks" / f"{number}.png",
            width=SIZE[0],
            height=SIZE[1],
            split="train",
            sha256="",
            mask_sha256="",
            boxes=BOXES,
            sequence=f"{role} drive {number // 3}",
            class_pixels=PIXELS,
        )
        return self.drawn(sample, image)

    def drawn(self, sample: Sample, image: Image.Image) -> Sample:
        """The sample with another picture."""
        image.save(sample.image)
        digest = hashlib.sha256(sample.image.read_bytes()).hexdigest()
        return replace(sample, sha256=digest, phash=perceptual_hash(image))

    def change(self, role: str, change: Change, *numbers: int) -> None:
        for n in numbers or range(6):
            self.samples[role][n] = change(self.samples[role][n])

    def inform(self, role: str, **update: Any) -> None:
        self.infos[role] = self.infos[role].model_copy(update=update)

    def reject(self, role: str, name: str, finding: Finding, cause: Cause) -> None:
        file = self.root / role / "images" / name
        self.rejected[role].append(Rejection(file, finding, cause, "box" if cause == "boxes" else "image"))

    def build(self, *roles: str) -> dict[str, CheckedSet]:
        made = {}
        for role in roles or self.samples:
            table = SampleTable.from_samples(self.samples[role], self.infos[role], Path("/"))
            left_out = self.rejected[role]
            images = len(table) + sum(r.kind == "image" for r in left_out)
            boxes = sum(len(s.boxes or ()) for s in table) + sum(r.kind == "box" for r in left_out)
            made[role] = CheckedSet(table, left_out, images, boxes)
        return made

    def run(self, *roles: str, settings: DatasetsConfig | None = None) -> list[Check]:
        return run_checks(self.build(*roles), settings or config())

    def failed(self, settings: DatasetsConfig | None = None) -> dict[tuple[str, str], Check]:
        return {(" / ".join(c.roles), c.name): c for c in self.run(settings=settings) if not c.passed}

    def only(self, role: str, name: str, settings: DatasetsConfig | None = None) -> Check:
        """The check that failed, after seeing that no other one did."""
        failed = self.failed(settings)
        assert list(failed) == [(role, name)]
        return failed[role, name]


def told(check: Check) -> tuple[str, ...]:
    """What a check lists, in words."""
    return tuple(map(say, check.listed))


@pytest.fixture
def sets(tmp_path: Path) -> Sets:
    return Sets(tmp_path)


def test_a_clean_choice_passes_every_check(sets: Sets) -> None:
    checks = sets.run()
    assert [say(line_of(c)) for c in checks if not c.passed] == []
    for_all = {"found", "named", "unique", "paired", "decodable", "size", "classes", "boxes"}
    for_all |= {"empty", "blank", "duplicates", "has_masks", "has_boxes"}
    against = {"taxonomy", "leak", "near_leak", "class_impossible", "class_missing", "class_rare", "class_ratio"}
    against |= {"box_impossible", "box_missing", "box_rare", "box_rule"}
    drives = {"sequence", "sequence_known"}  # two data sets have no drives in common
    names = {roles: {c.name for c in checks if c.roles == roles} for roles in {c.roles for c in checks}}
    assert names == {
        ("source",): for_all,
        ("target",): for_all,
        ("benchmark",): for_all | {"sizes"},
        ("source", "benchmark"): against,
        ("target", "benchmark"): against | drives,
    }


@pytest.mark.parametrize("cause", ["found", "named", "unique", "paired", "decodable", "size", "classes"])
def test_what_was_left_out(sets: Sets, cause: Cause) -> None:
    sets.reject("target", "bad.png", EMPTY, cause)
    check = sets.only("target", cause)
    assert (check.severity, check.measured, check.unit) == ("warning", pytest.approx(1 / 7), "share")
    assert check.finding.code == f"checks.{cause}_failed"
    assert check.finding.values == {"over": "", "some": 1, "total": 7, "share": 1 / 7}
    assert say(check.finding).startswith("1 of 7 images (14.3 %) left out because ")
    assert check.listed == (Finding.of("data.of_file", file=Path("images/bad.png"), why=EMPTY),)
    assert told(check) == ("images/bad.png: is empty (0 bytes)",)
    with speaking("ko"):
        assert say(check.finding).startswith("이미지 7장 중 1장(14.3 %) 제외, ")
        assert told(check) == ("images/bad.png: 빈 파일 (0바이트)",)
    assert [e.images for e in check.examples] == (
        [] if cause in ("found", "decodable") else [(sets.root / "target" / "images" / "bad.png",)]
    )


def test_boxes_count_among_boxes(sets: Sets) -> None:
    for n in range(60):
        sets.reject("benchmark", "boxes.json", Finding.of("data.in_line", line=n, why=EMPTY), "boxes")
    check = sets.only("benchmark", "boxes", config(max_rejected=0.9))
    assert check.severity == "warning"
    assert check.measured == 60 / 72
    assert len(check.listed) == 50
    assert check.examples == ()


def test_too_much_left_out_is_an_error_whatever_the_causes(sets: Sets) -> None:
    for cause in ("paired", "size"):
        sets.reject("source", f"{cause}.png", EMPTY, cast(Cause, cause))
    limit = config(max_rejected=0.2)  # each cause has 1 of 8, both together 2 of 8
    failed = sets.failed(limit)
    assert {(role, name, c.severity) for (role, name), c in failed.items()} == {
        ("source", "paired", "error"),
        ("source", "size", "error"),
    }
    found = failed["source", "size"].finding
    assert found.values["over"] == Finding.of("checks.over", together=0.25, most=0.2)
    assert "all causes together are 25 %, more than max_rejected = 20 %" in say(found)
    assert {c.severity for c in sets.failed(config(max_rejected=0.25)).values()} == {"warning"}


def test_no_image_is_left(sets: Sets) -> None:
    sets.samples["target"] = []
    check = sets.only("target", "empty")
    assert (check.severity, check.measured) == ("error", 0)


def test_images_of_one_colour_are_no_leak(sets: Sets) -> None:
    black = Image.new("RGB", SIZE)
    for role in ("target", "benchmark"):
        sets.change(role, lambda s: sets.drawn(s, black), 1)
    failed = sets.failed()
    assert list(failed) == [("target", "blank"), ("benchmark", "blank")]
    assert told(failed["benchmark", "blank"]) == ("benchmark_1",)
    assert failed["benchmark", "blank"].measured == 1 / 6


def test_copies_in_a_set(sets: Sets) -> None:
    first = sets.samples["source"][1]
    sets.change("source", lambda s: replace(s, sha256=first.sha256), 3, 4)
    check = sets.only("source", "duplicates")
    assert (check.severity, check.measured) == ("warning", 2 / 6)
    assert told(check) == ("source_3 | source_1", "source_4 | source_1")
    assert check.examples[0].images == (sets.samples["source"][3].image, first.image)
    assert sets.failed(config(duplicates=0.4)) == {}
    tolerated = next(c for c in sets.run(settings=config(duplicates=0.4)) if c.name == "duplicates")
    assert tolerated.finding.code == "checks.duplicates_tolerated"
    assert say(tolerated.finding).endswith("up to 40 % are tolerated.")


def test_sizes_matter_in_the_benchmark(sets: Sets) -> None:
    for role in ("target", "benchmark"):
        sets.change(role, lambda s: replace(s, width=50), 2)
    check = sets.only("benchmark", "sizes")
    assert told(check) == ("48x36, images: 5", "50x36, images: 1")
    assert "in batches of its own" in say(check.finding)


@pytest.mark.parametrize("role", ["source", "target"])
def test_the_same_file_in_training_and_benchmark(sets: Sets, role: str) -> None:
    leaked = sets.samples["benchmark"][4]
    sets.change(role, lambda s: replace(s, sha256=leaked.sha256, phash=leaked.phash), 2)
    check = sets.only(f"{role} / benchmark", "leak")
    assert (check.severity, check.measured) == ("error", 1 / 6)
    assert told(check) == (f"benchmark benchmark_4 | {role} {role}_2",)
    assert check.examples[0].images == (leaked.image, sets.samples[role][2].image)


def test_a_recompressed_smaller_copy_in_training(sets: Sets) -> None:
    rng = np.random.default_rng(5)
    scene = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize((480, 360), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    scene.resize((240, 180)).save(stream, "JPEG", quality=40)
    sets.change("benchmark", lambda s: sets.drawn(s, scene), 5)
    sets.change("target", lambda s: sets.drawn(s, Image.open(stream)), 0)
    check = sets.only("target / benchmark", "near_leak")
    assert (check.severity, check.measured) == ("warning", 1 / 6)
    assert re.fullmatch(r"benchmark benchmark_5 \| target target_0 \([024] of 64 bits differ\)", told(check)[0])
    assert sets.failed(config(near_leak=0.2)) == {}


def test_how_near_is_near(sets: Sets) -> None:
    phash = sets.samples["benchmark"][0].phash
    assert phash is not None
    bits = [n for n in range(64) if phash >> n & 1][:3] + [n for n in range(64) if not phash >> n & 1][:3]
    flipped = phash ^ sum(1 << n for n in bits)
    sets.change("source", lambda s: replace(s, phash=flipped), 0)
    assert sets.failed(config(near_duplicate_bits=5)) == {}
    sets.only("source / benchmark", "near_leak", config(near_duplicate_bits=6))


def test_images_without_a_hash_are_compared_by_content_alone(sets: Sets) -> None:
    for role in sets.samples:
        sets.change(role, lambda s: replace(s, phash=None))
    assert sets.failed() == {}
    sets.change("target", lambda s: replace(s, sha256=sets.samples["benchmark"][0].sha256), 0)
    sets.only("target / benchmark", "leak")


def test_a_drive_in_training_and_benchmark(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, sequence="benchmark drive 1"), 0)
    check = sets.only("target / benchmark", "sequence")
    assert (check.severity, check.measured) == ("warning", 0.5)
    assert told(check) == ("benchmark drive 1, images of the benchmark: 3",)
    sets.inform("target", dataset="other drives")
    assert sets.failed() == {}


def test_drives_that_are_not_known(sets: Sets) -> None:
    sets.change("benchmark", lambda s: replace(s, sequence=None))
    assert sets.only("target / benchmark", "sequence_known").measured == 0.5


@pytest.mark.parametrize(
    "change", [{"detection": ("person", "car")}, {"classes": (INFO.classes[1], INFO.classes[0], INFO.classes[2])}]
)
def test_other_classes(sets: Sets, change: dict[str, Any]) -> None:
    sets.inform("source", **change)
    check = sets.only("source / benchmark", "taxonomy")
    assert check.severity == "error"
    assert len(check.listed) == 1
    assert not any(c.name.startswith(("class_", "box_")) for c in sets.run() if c.roles == ("source", "benchmark"))


def test_a_class_that_labels_cannot_have(sets: Sets) -> None:
    sets.inform("source", impossible=("pole",), impossible_boxes=("person",))
    sets.change("source", lambda s: replace(s, class_pixels=(1000, 500, 0), boxes=BOXES[:1]))
    assert list(sets.failed()) == [("source / benchmark", "class_impossible"), ("source / benchmark", "box_impossible")]
    assert told(sets.failed()["source / benchmark", "class_impossible"]) == ("pole",)
    for_benchmark = dict(class_pixels=(1000, 500, 0), boxes=BOXES[:1])
    sets.change("benchmark", lambda s: replace(s, **cast(Any, for_benchmark)))
    assert sets.failed() == {}


def test_a_class_that_no_image_shows(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, class_pixels=(1000, 0, 100)))
    check = sets.only("target / benchmark", "class_missing")
    assert (check.severity, told(check)) == ("warning", ("sky",))
    assert (check.finding.code, check.finding.values["names"]) == ("checks.class_missing_failed", ("sky",))
    assert say(check.finding).startswith("No image of the target shows 1 (sky) of the 3 classes in the benchmark: ")
    with speaking("ko"):
        assert say(check.finding).startswith("타깃 데이터셋의 어느 이미지에도 벤치마크의 클래스 3개 중 1개(sky)가 없음")


def test_a_class_that_few_images_show(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, class_pixels=(1000, 1, 100)))
    sets.change("target", lambda s: replace(s, class_pixels=(1000, 0, 100)), 0, 1)
    assert told(sets.only("target / benchmark", "class_rare")) == ("sky, images: 4",)
    sets.only("target / benchmark", "class_ratio", config(class_images=4))


def test_a_class_of_few_pixels(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, class_pixels=(1096, 500, 4)))
    check = sets.only("target / benchmark", "class_ratio")
    assert (check.measured, check.threshold, check.unit) == (pytest.approx(25), 20, "times")
    assert told(check) == ("pole: 0.25 % of the pixels, 6.25 % in the benchmark",)


def test_boxes_that_no_image_has(sets: Sets) -> None:
    crowd = replace(BOXES[1], crowd=True)  # a group teaches nobody what one person looks like
    sets.change("source", lambda s: replace(s, boxes=(BOXES[0], crowd)))
    assert told(sets.only("source / benchmark", "box_missing")) == ("person",)


def test_boxes_that_few_images_have(sets: Sets) -> None:
    sets.change("source", lambda s: replace(s, boxes=BOXES[:1]), 0, 1, 2)
    sets.change("source", lambda s: replace(s, boxes=None), 3)
    assert told(sets.only("source / benchmark", "box_rare")) == ("person, images: 2",)


def test_boxes_of_another_rule(sets: Sets) -> None:
    sets.inform("benchmark", boxes_from="components")
    assert list(sets.failed()) == [("source / benchmark", "box_rule"), ("target / benchmark", "box_rule")]


def test_sets_without_labels_of_a_kind(sets: Sets) -> None:
    sets.inform("target", boxes_from=None, encoding=None)
    sets.change("target", lambda s: replace(s, boxes=None, class_pixels=None, mask=None))
    checks = sets.run()
    assert {(c.roles, c.name, c.severity) for c in checks if not c.passed} == {
        (("target",), "has_masks", "warning"),
        (("target",), "has_boxes", "warning"),
    }
    assert not any(c.name.startswith(("class", "box")) for c in checks if c.roles[0] == "target")
    needed = run_checks(sets.build(), config(), {"target": ("boxes",), "source": ("boxes", "masks")})
    assert [(c.roles, c.name) for c in needed if not c.passed and c.severity == "error"] == [(("target",), "has_boxes")]
    found = sets.failed()["target", "has_boxes"].finding
    assert "No image has boxes: detection can be neither trained nor scored" in say(found)


def test_labels_on_a_part_of_the_images(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, boxes=None) if s.id.endswith(("0", "1")) else s)
    found = next(c for c in sets.run() if (c.roles, c.name) == (("target",), "has_boxes"))
    assert (found.passed, found.measured) == (True, 4)
    assert say(found.finding).startswith("4 of 6 images")


def test_any_subset_of_roles(sets: Sets) -> None:
    assert {c.roles for c in sets.run("benchmark")} == {("benchmark",)}
    sets.inform("target", detection=("person", "car"))
    checks = sets.run("source", "target")
    assert [(c.roles, c.name) for c in checks if not c.passed] == [(("target", "source"), "taxonomy")]
    assert run_checks({}, config()) == []


def test_a_set_of_an_artifact(sets: Sets, tmp_path: Path) -> None:
    sets.reject("source", "bad.png", EMPTY, "paired")
    sets.reject("source", "boxes.json", Finding.of("data.in_line", line=3, why=EMPTY), "boxes")
    made = sets.build("source")["source"]

    def make(folder: Path) -> dict[str, Any]:
        made.table.write(folder)
        write_rejected(folder / "rejected.csv", made.rejected, sets.root)
        return {"seen_images": made.images, "seen_boxes": made.boxes}

    artifact = Store(tmp_path / "store").build(Recipe("dataset", config={}, inputs={}, code="1"), make)
    found = CheckedSet.of(artifact)
    expected = [replace(r, file=r.file.relative_to(sets.root)) for r in made.rejected]
    assert (found.rejected, found.images, found.boxes) == (expected, 7, 13)
    assert [s.id for s in found.table] == [s.id for s in made.table]


def test_paths_start_at_the_set(sets: Sets) -> None:
    moved = [replace(s, image=Path("../source/images") / s.image.name, mask=None) for s in sets.samples["source"]]
    table = SampleTable.from_samples(moved, INFO, sets.root / "store")
    image, elsewhere = sets.root / "source" / "images" / "0.png", sets.root / "x"
    lacking = Finding.of("data.both", one=Finding.of("data.no_file", file=image), other=elsewhere)
    rejected = Rejection(sets.root / "source" / "masks" / "0.png", lacking, "paired")
    found = CheckedSet(table, [rejected], 7, 12).told(rejected, rejected.file)
    assert say(found) == f"masks/0.png: no images/0.png and {elsewhere}"


def test_the_nearest_hash() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 2**64, n, np.uint64) for n in (50, 20_000))  # more than a block of each
    b[[3, 19_000]] = a[7] ^ np.uint64(1), a[8]
    bits, nearest = closest(a, b)
    whole = distances(a[:, None], b[None])
    np.testing.assert_array_equal(bits, whole.min(axis=1))
    np.testing.assert_array_equal(whole[np.arange(50), nearest], bits)
    assert (nearest[7], nearest[8]) == (3, 19_000)
    assert closest(a, b[:0])[0].tolist() == [255] * 50


def test_the_page(sets: Sets) -> None:
    leaked = sets.samples["benchmark"][4]
    sets.change("target", lambda s: replace(s, id="<b>copy</b>", sha256=leaked.sha256, phash=leaked.phash), 2)
    sets.samples["target"][2].image.write_bytes(b"GIF87a")
    Image.fromarray(np.full((4, 4), 3, np.uint8)).save(sets.root / "source" / "images" / "odd.png")
    missing = Finding.of("data.no_file", file=sets.root / "source" / "masks" / "odd.png")
    sets.reject("source", "odd.png", missing, "paired")
    made = sets.build()
    path = sets.root / "checks.html"
    write_page(path, run_checks(made, config()), made, "sim & drives")
    page = path.read_text()
    assert "1 error<" in page
    assert "1 warning<" in page
    assert "sim &amp; drives" in page
    assert "target &lt;b&gt;copy&lt;/b&gt;" in page
    assert "<b>copy" not in page
    assert "no picture: 2.png: cannot be decoded" in page
    assert "odd.png: no masks/odd.png" in page
    assert str(sets.root) not in page
    assert len(re.findall(r'<img src="data:image/webp;base64,', page)) == 2  # the leaked one and the odd one
    assert not re.search(r"https?:|<script|<link|src=\"(?!data:)|@import", page)


def test_a_korean_page_and_table(sets: Sets) -> None:
    sets.reject("source", "odd.png", EMPTY, "decodable")
    made, path = sets.build(), sets.root / "checks.html"
    checks = run_checks(made, config())
    console = Console(width=60, file=io.StringIO())
    with speaking("ko"):
        write_page(path, checks, made, "drives")
        print_checks(checks, console)
        said = "".join(say(c.finding) for c in checks if not c.passed)
    page, table = path.read_text(), cast(io.StringIO, console.file).getvalue()
    assert '<html lang="ko">' in page
    assert "데이터셋 점검: drives" in page
    assert "images/odd.png: 빈 파일 (0바이트)" in page
    shown = re.sub(r"<style>.*</style>|<[^>]+>", " ", page, flags=re.S)
    assert {*re.findall("[A-Za-z_]{4,}", shown)} <= {"drives", "images", "sequence", "checks", "json"}
    assert "6 이상" not in page
    assert "1 이상" in page  # of masks, no fewer than one
    assert "".join(said.split()) in "".join(table.split())


def test_the_terminal(sets: Sets) -> None:
    sets.change("target", lambda s: replace(s, sequence="benchmark drive 1 [red]"), 0)
    sets.change("benchmark", lambda s: replace(s, sequence="benchmark drive 1 [red]"), 0)
    sets.change("target", lambda s: replace(s, sha256=sets.samples["benchmark"][0].sha256), 1)
    console = Console(width=80, file=io.StringIO())
    checks = sets.run()
    print_checks(checks, console)
    text = cast(io.StringIO, console.file).getvalue()
    assert text.index("target / benchmark, leak 16.7 %") < text.index("target / benchmark, sequence 16.7 %")
    assert "drive 1 [red]" in " ".join(text.split())
    assert f"{len(checks) - 2} of {len(checks)} checks of the data passed" in text


def nothing(checks: list[Check]) -> set[tuple[str, str]]:
    assert all(c.passed for c in checks if c.nothing)
    return {(c.name, c.finding.code) for c in checks if c.nothing}


def test_what_is_true_of_nothing_is_not_counted_as_passed(sets: Sets) -> None:
    assert nothing(sets.run()) == set()
    sets.change("benchmark", lambda s: replace(s, boxes=(), class_pixels=(0, 0, 0), sequence=None))
    found = sets.run()
    classes = {f"{kind}_{name}" for kind in ("class", "box") for name in ("impossible", "missing", "rare")}
    expected = {(name, "checks.nothing_classes") for name in (*classes, "class_ratio")}
    assert nothing(found) == expected | {("sequence", "checks.nothing_drives"), ("boxes", "checks.nothing_boxes")}
    console = Console(file=io.StringIO(), width=200)
    print_checks(found, console)
    made, failed = sum(not c.nothing for c in found), sum(not c.passed for c in found)
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{made - failed} of {made} checks of the data passed" in told
    assert f"{len(found) - made} checks had nothing to check" in told


def test_pictures_that_show_nothing_are_compared_with_nothing(sets: Sets) -> None:
    sets.change("benchmark", lambda s: sets.drawn(s, Image.new("RGB", SIZE)))
    found = sets.run()
    assert nothing(found) == {(name, "checks.nothing_pictures") for name in ("leak", "near_leak")}

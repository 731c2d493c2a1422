"""A program that translates: what it is given, what of its work is used, how it may fail, and what its key holds."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from tasks.catalogue.language import say, speaking
from tasks.contracts.artifact import Artifact
from tasks.datasets.images import PixelError, read_image
from tasks.datasets.table import SampleTable
from tasks.store.manifest import Manifest
from tasks.store.store import Store
from tasks.translate.config import Translator
from tasks.translate.errors import OutsideError
from tasks.translate.make_translated import build_translated
from tasks.translate.outside.inputs import match_depth, write_inputs
from tasks.translate.outside.preflight import source_problems
from tasks.translate.preflight import translator_problems
from tasks.translate.sections.command import Depth, OutsideCommand
from tests.compute.test_process import alive, wait_for
from tests.workers import HERE

Make = Callable[..., SampleTable]
# It inverts images, after noting what it was given, and fails as it is told to.
PROGRAM = """
import json, os, pathlib, subprocess, sys, time
how, images, output, notes, *more = sys.argv[1:]
images, output, notes = sorted(pathlib.Path(images).iterdir()), pathlib.Path(output), pathlib.Path(notes)
note = {"images": [p.name for p in images], "more": more, "variables": sorted(os.environ), "folder": os.getcwd()}
(notes / f"{time.time_ns()}.json").write_text(json.dumps(note))
print("\\x1b[31mloading\\x1b[0m", flush=True)
if how == "hang":
    child = subprocess.Popen(["sleep", "300"])
    (notes / "pids").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(300)
from PIL import Image, ImageOps
for n, path in enumerate(images):
    if how == "few" and n == 1:
        break
    image = ImageOps.invert(Image.open(path).convert("RGB"))
    if how == "small":
        image = image.resize((10, 9))
    result = output / f"{'made_' if how == 'other' else ''}{path.stem}.png"
    image.save(result)
    if how == "crash" and n == 1 and (notes / "once").exists():
        (notes / "once").unlink()
        result.write_bytes(result.read_bytes()[:-9])
        sys.exit("no memory left")
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.fixture
def configured(tmp_path: Path, notes: Path) -> Callable[..., OutsideCommand]:
    """Configure the program, to work in one way; ``more`` are arguments, keywords other settings."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def configure(how: str = "well", *more: str, **settings: Any) -> OutsideCommand:
        command = [sys.executable, str(program), how, "{images}", "{output}", str(notes), *more]
        return OutsideCommand.model_validate({"method": "command", "command": command, **settings})

    return configure


def build(config: OutsideCommand, source: Artifact, tmp_path: Path) -> Artifact:
    return build_translated(config, source, source, None, Store(tmp_path / "store"), HERE)


def noted(notes: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(notes.glob("*.json"))]


def test_a_program_translates_with_labels(
    table: SampleTable, source: Artifact, tmp_path: Path, notes: Path, configured: Any, caplog: Any
) -> None:
    more = ("{masks}", "{boxes}", "{list}", "{seed}", "{input}")
    config = configured("well", *more, seed=7, environment=["PATH", "HF_HOME=/there"], folder=tmp_path)
    with caplog.at_level("INFO"):
        made = build(config, source, tmp_path)
    for before, after in zip(table, SampleTable.read(made.path), strict=True):
        assert np.array_equal(read_image(after.image), 255 - read_image(before.image))
        assert (after.id, after.boxes, after.mask) == (before.id, before.boxes, before.mask)
    assert {f.path.partition("/")[0] for f in Manifest.read(made.path).files} == {"images", "samples.parquet"}
    assert Manifest.read(made.path).summary["images_per_second"] < 100  # with the program's start
    (note,) = noted(notes)
    assert (note["images"], note["more"][3], note["folder"]) == (["s0.png", "s1.png", "s2.png"], "7", str(tmp_path))
    lent = {"OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM", "CUDA_VISIBLE_DEVICES", "LC_CTYPE"}  # the last is Python's own
    assert {"PATH", "HF_HOME"} <= set(note["variables"]) <= {"PATH", "HF_HOME"} | lent
    assert [m for m in caplog.messages if m.endswith("loading")] == ["| loading"]
    assert "translating command: runs " in caplog.text
    assert build(config, source, tmp_path).cached


def test_what_a_program_is_given(table: SampleTable, tmp_path: Path) -> None:
    for sample in table:
        path = tmp_path / "depth" / f"{sample.id}.npy"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sample.id.encode())
    given = {k: Path(v) for k, v in write_inputs(table, tmp_path / "input", Depth(folder=tmp_path / "depth")).items()}
    assert [p.name for p in sorted(given["images"].iterdir())] == ["s0.png", "s1.png", "s2.png"]
    assert given["list"].read_text().splitlines() == [str(given["images"] / f"s{k}.png") for k in range(3)]
    assert (given["depth"] / "s1.npy").read_bytes() == b"s1"
    assert np.array_equal(cv2.imread(str(given["masks"] / "s1.png"), cv2.IMREAD_UNCHANGED), np.zeros((36, 40)))
    boxes = json.loads(given["boxes"].read_text())
    assert [a["iscrowd"] for a in boxes["annotations"]] == [0, 0, 1]
    assert {i["file_name"] for i in boxes["images"]} == {"s0.png", "s1.png", "s2.png"}
    assert (given["input"] / "classes.json").is_file()
    assert given["images"].is_relative_to(given["input"])
    write_inputs(table.take([2]), tmp_path / "input", None)
    assert [p.name for p in given["images"].iterdir()] == ["s2.png"]


def test_depth_beside_images_is_found_by_their_paths(make_table: Make, tmp_path: Path) -> None:
    table = make_table("one", 1)
    image = tmp_path / "Scene01/frames/rgb/Camera_0/rgb_00001.jpg"
    named = SampleTable.from_samples([replace(table[0], image=image)], table.info, tmp_path, tmp_path)
    path = tmp_path / "Scene01/frames/depth/Camera_0/depth_00001.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"depth")
    assert match_depth(named, Depth(folder=tmp_path, find="rgb", put="depth")).files == {"one0": path}


def test_after_a_crash_only_what_is_missing_is_asked_for(
    table: SampleTable, source: Artifact, tmp_path: Path, notes: Path, configured: Any
) -> None:
    (notes / "once").touch()
    config = configured("crash")
    with pytest.raises(OutsideError, match=r"program.py crash .* ended with status 1; its last lines: loading; no mem"):
        build(config, source, tmp_path)
    assert not list((tmp_path / "store" / "translated").glob("[!.]*"))
    made = build(config, source, tmp_path)
    assert [note["images"] for note in noted(notes)] == [["s0.png", "s1.png", "s2.png"], ["s1.png", "s2.png"]]
    whole = build(configured("well"), source, tmp_path)
    assert made.digest == whole.digest


def test_a_program_that_hangs_is_ended_with_all_it_started(
    source: Artifact, tmp_path: Path, notes: Path, configured: Any
) -> None:
    begun = time.monotonic()
    with pytest.raises(OutsideError, match=r"hang .* ran for more than timeout: 3 s, and was ended; its last lines: l"):
        build(configured("hang", timeout=3), source, tmp_path)
    assert time.monotonic() - begun < 60
    pids = [int(pid) for pid in (notes / "pids").read_text().split()]
    assert wait_for(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize(
    ("how", "kind", "told"),
    [
        (
            "few",
            OutsideError,
            r"few .* ended well, but .*output has no file for 2 of the source's 3 images: s1, s2; its",
        ),
        (
            "other",
            OutsideError,
            r"no file for 3 .*: s0, s1, s2. 3 files there are named like none of them: made_s0.png",
        ),
        ("small", PixelError, r"s0\.png: is 10x9, but s0, which it was made of, 40x36: have it made of that size"),
    ],
)
def test_what_a_program_did_not_do(
    source: Artifact, tmp_path: Path, configured: Any, how: str, kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told) as caught:
        build(configured(how), source, tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    assert not list((tmp_path / "store" / "translated").glob("[!.]*"))


def test_names_and_sizes_that_a_program_has_of_its_own(source: Artifact, tmp_path: Path, configured: Any) -> None:
    result = build(configured("small", resize=True), source, tmp_path)
    assert read_image(result.path / "images/s0.png").shape == (36, 40, 3)
    with pytest.raises(OutsideError, match=r"output/made/images has no file"):
        build(configured(results="made/images"), source, tmp_path)
    with pytest.raises(ValidationError, match="results"):
        configured(results="../elsewhere")


def test_variants_are_runs_with_seeds_of_their_own(
    source: Artifact, tmp_path: Path, notes: Path, configured: Any
) -> None:
    result = SampleTable.read(build(configured("well", "{seed}", seed=3, variants=2), source, tmp_path).path)
    assert [s.id for s in result] == [f"s{n}__v{k}" for n in range(3) for k in range(2)]
    assert [note["more"] for note in noted(notes)] == [["3"], ["4"]]
    with pytest.raises(ValidationError, match="all of them would be the same"):
        configured("well", variants=2)


def test_the_key_holds_what_images_depend_on(tmp_path: Path, configured: Any) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "a.bin").write_bytes(b"a")

    def key(how: str = "well", *more: str, **settings: Any) -> str:
        config = configured(how, *more, files=[weights], **settings)
        return json.dumps(config.translation_slice(), sort_keys=True)

    first = key()
    assert first == key(name="other", timeout=5, gpu=False)
    assert first not in {key("few"), key(seed=1), key(environment=["PATH"]), key(image_suffix="_b"), key(resize=True)}
    (weights / "a.bin").write_bytes(b"other")
    second = key()
    (tmp_path / "program.py").write_text(PROGRAM + "\n")
    assert len({first, second, key()}) == 3
    option = tmp_path / "model.yaml"
    option.write_text("a: 1")
    named = key("well", f"--model={option}")
    option.write_text("a: 2")
    assert named != key("well", f"--model={option}")


def told(**settings: Any) -> list[tuple[str, str]]:
    """The dotted keys and sentences of a section."""
    values = {"method": "command", "command": ["sh", "{images}", "{output}"], **settings}
    problems = list(translator_problems(TypeAdapter(Translator).validate_python(values)))
    with speaking("ko"):
        assert all(say(p.finding) for p in problems)
    return [(".".join(map(str, p.place)), say(p.finding)) for p in problems]


def test_what_is_said_before_anything_runs(tmp_path: Path) -> None:
    assert told() == []
    ((place, sentence),) = told(command=["no-such-program", "{images}", "{output}"])
    assert place == "command.0"
    assert sentence.startswith("there is no program no-such-program that can be run")
    plain = tmp_path / "plain.sh"
    plain.touch()
    assert told(command=["./plain.sh", "{images}", "{output}"], folder=tmp_path)[0][0] == "command.0"
    plain.chmod(0o700)
    assert told(command=["./plain.sh", "{images}", "{output}"], folder=tmp_path) == []
    assert told(command=["sh", "{images}", "{output}"], environment=["PATH=/none"])[0][0] == "command.0"
    assert told(files=["none.pt"])[0] == (
        "files.0",
        "there is no file none.pt; a relative path starts in the folder where the command is run",
    )
    assert told(folder=tmp_path / "none")[0][0] == "folder"
    assert told(depth={"folder": tmp_path / "none"})[0][0] == "depth.folder"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("run.sh {images} {output}", "no shell reads it"),
        (["run", "{images}", "{outputs}"], r"\{outputs\} stands for nothing; there are input, images"),
        (["run", "{images}"], r"it must name \{output\}"),
        (["run", "{masks}", "{output}"], r"and \{images\}, \{list\} or \{input\}"),
        (["run", "{images}", "{output}", "{depth}"], "needs the section depth"),
    ],
)
def test_commands_that_cannot_work(command: Any, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OutsideCommand.model_validate({"method": "command", "command": command})


def test_braces_that_are_no_placeholder_stay() -> None:
    command = ["run", "{images}", "{output}", '{"a": 1}', "{}"]
    config = OutsideCommand.model_validate({"method": "command", "command": command})
    assert config.arguments({"images": "i", "output": "{images}"}) == ["run", "i", "{images}", '{"a": 1}', "{}"]


def test_what_the_source_must_have_is_said_when_it_is_read(table: SampleTable, tmp_path: Path) -> None:
    command = ["sh", "{input}", "{masks}", "{boxes}", "{output}", "{depth}"]
    values = {"method": "command", "command": command, "depth": {"folder": tmp_path / "s", "put": "", "find": ""}}
    config = OutsideCommand.model_validate(values)
    assert list(source_problems(config, table)) == []
    bare = SampleTable(table.rows, table.info.model_copy(update={"encoding": None, "boxes_from": None}), table.folder)
    found = [say(p.finding) for p in source_problems(config, bare)]
    assert found == [
        "the command takes {masks}, and the source is not labelled so",
        "the command takes {boxes}, and the source is not labelled so",
    ]
    (tmp_path / "empty").mkdir()
    less = config.model_copy(update={"depth": Depth(folder=tmp_path / "empty")})
    (problem,) = source_problems(less, table)
    assert say(problem.finding).startswith(f"{tmp_path / 'empty'} has no file for 3 of the source's 3 images: s0, s1")


def test_variables_that_are_not_declared_are_not_handed_on(monkeypatch: pytest.MonkeyPatch, configured: Any) -> None:
    from tasks.translate.outside.program import environment

    monkeypatch.setenv("TOKEN", "secret")
    assert "TOKEN" not in environment(configured())
    assert environment(configured(environment=["TOKEN", "A=b=c", "NOT_THERE"])).items() >= {
        ("TOKEN", "secret"),
        ("A", "b=c"),
    }
    assert "NOT_THERE" not in environment(configured(environment=["NOT_THERE"]))
    assert set(environment(configured(environment=[]))) <= {k for k in os.environ if k != "TOKEN"}

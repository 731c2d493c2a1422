"""The store: built once, published whole, found again, rebuilt when damaged."""

import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest

from tasks.contracts.artifact import Artifact
from tasks.store.digest import content_digest, file_sha256
from tasks.store.files import atomic_path
from tasks.store.gc import collect, delete
from tasks.store.manifest import MANIFEST, Manifest, StoreError
from tasks.store.recipe import Recipe
from tasks.store.store import Store


def make_text(text: str = "hello"):
    def make(folder: Path) -> dict[str, int]:
        (folder / "sub").mkdir(exist_ok=True)
        (folder / "sub" / "a.txt").write_text(text)
        return {"letters": len(text)}

    return make


def build(store: Store, text: str = "hello", **inputs: Artifact) -> Artifact:
    return store.build(Recipe("text", config={"text": text}, inputs=inputs, code="1"), make=make_text(text))


def test_second_build_is_a_hit(tmp_path: Path) -> None:
    first = build(Store(tmp_path))
    second = Store(tmp_path).build(Recipe("text", config={"text": "hello"}, inputs={}, code="1"), make=pytest.fail)
    assert (first.cached, second.cached) == (False, True)
    assert second.path == first.path
    assert second.digest == first.digest


def test_key_depends_on_config_inputs_and_code(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, other = build(store, "one"), build(store, "other")
    settings = [({"a": 1}, {}, "1"), ({"a": 2}, {}, "1"), ({"a": 1}, {"x": one}, "1"), ({"a": 1}, {"x": other}, "1")]
    settings += [({"a": 1}, {"y": one}, "1"), ({"a": 1}, {}, "2")]
    made = [store.build(Recipe("k", config=c, inputs=i, code=v), make=make_text()) for c, i, v in settings]
    assert len({a.key for a in made}) == len(settings)


def test_same_bytes_from_another_config_leave_dependants_cached(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = (
        store.build(Recipe("t", config={"n": n}, inputs={}, code="1"), make=make_text("same")) for n in (1, 2)
    )
    assert first.key != second.key
    assert first.digest == second.digest
    build(store, "next", source=first)
    assert build(store, "next", source=second).cached


def test_manifest_tells_what_made_it(tmp_path: Path) -> None:
    store = Store(tmp_path, resolved={"name": "run"})
    source = build(store, "source")
    manifest = Manifest.read(build(store, "hello", source=source).path)
    assert manifest.config == {"text": "hello"}
    assert manifest.inputs["source"].digest == source.digest
    assert manifest.summary == {"letters": 5}
    assert manifest.resolved == {"name": "run"}
    assert [(f.path, f.size) for f in manifest.files] == [("sub/a.txt", 5)]
    assert manifest.environment["python"]


def test_failed_build_publishes_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise RuntimeError("broken")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError):
        store.build(Recipe("text", config={}, inputs={}, code="1"), make=fail)
    assert list(store.artifacts()) == []


@pytest.mark.parametrize("resumable", [True, False])
def test_crashed_build_is_resumed_only_where_the_stage_can(tmp_path: Path, resumable: bool) -> None:
    def crash(folder: Path) -> None:
        (folder / "done.txt").write_text("done")
        raise KeyboardInterrupt

    seen = []
    store = Store(tmp_path)
    recipe = Recipe("text", config={}, inputs={}, code="1")
    with pytest.raises(KeyboardInterrupt):
        store.build(recipe, crash, resumable=resumable)
    store.build(recipe, lambda folder: seen.extend(p.name for p in folder.iterdir()), resumable=resumable)
    assert seen == (["done.txt"] if resumable else [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "sub" / "a.txt").unlink(),
        lambda folder: (folder / "sub" / "a.txt").write_text("hello, longer"),
        lambda folder: (folder / MANIFEST).write_text("{"),
        lambda folder: (folder / MANIFEST).unlink(),
    ],
    ids=["missing file", "other size", "half a manifest", "no manifest"],
)
def test_damaged_artifact_is_built_again(tmp_path: Path, damage) -> None:
    store = Store(tmp_path)
    first = build(store)
    damage(first.path)
    with pytest.raises(StoreError):
        store.get("text", first.key)
    second = build(store)
    assert not second.cached
    assert second.digest == first.digest
    assert (second.path / "sub" / "a.txt").read_text() == "hello"


def test_full_verification_finds_changed_bytes_of_the_same_size(tmp_path: Path) -> None:
    artifact = build(Store(tmp_path))
    (artifact.path / "sub" / "a.txt").write_text("HELLO")
    assert Manifest.read(artifact.path).problems(artifact.path) == []
    assert "SHA-256" in Manifest.read(artifact.path).problems(artifact.path, full=True)[0]


def _slow_build(root: Path, log: Path) -> None:
    def make(folder: Path) -> None:
        with log.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        (folder / "a").write_text("x")

    Store(root).build(Recipe("slow", config={}, inputs={}, code="1"), make)


def test_two_runs_never_build_one_thing_twice(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    runs = [context.Process(target=_slow_build, args=(tmp_path / "store", tmp_path / "log")) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(30)
    assert len((tmp_path / "log").read_text().splitlines()) == 1


def test_atomic_path_leaves_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def interrupted() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_digest_ignores_order_and_rejects_what_is_no_json() -> None:
    assert content_digest({"a": 1, "b": [Path("x/y")]}) == content_digest({"b": ["x/y"], "a": 1})
    assert content_digest({"a": 1}) != content_digest({"a": 1.5})
    with pytest.raises(TypeError, match="set"):
        content_digest({"a": {1, 2}})


def test_gc_keeps_what_kept_artifacts_were_made_from(tmp_path: Path) -> None:
    store = Store(tmp_path)
    source, unused = build(store, "source"), build(store, "unused")
    result = build(store, "result", source=source)
    for artifact in (source, unused, result):
        os.utime(artifact.path, (1, 1))
    os.utime(result.path)
    assert collect(store, before=time.time() - 3600) == [unused.path]


def test_gc_keeps_the_inputs_of_a_build_that_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    source, unused = build(store, "source"), build(store, "unused")
    listed: list[list[Path]] = []

    def make(folder: Path) -> None:
        listed.append(collect(store, before=time.time() + 1))

    result = store.build(Recipe("result", config={}, inputs={"source": source}, code="1"), make)
    assert listed == [[unused.path]]
    assert set(collect(store, before=time.time() + 1)) == {source.path, unused.path, result.path}


def test_gc_keeps_the_inputs_of_a_build_that_can_be_resumed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    source = build(store, "source")
    os.utime(source.path, (1, 1))
    with pytest.raises(KeyboardInterrupt):
        store.build(Recipe("result", config={}, inputs={"source": source}, code="1"), make=_interrupted)
    (left,) = tmp_path.glob("result/.*")
    assert collect(store, before=time.time() - 3600) == []
    os.utime(left, (1, 1))
    assert set(collect(store, before=time.time() - 3600)) == {source.path, left}


def test_gc_deletes_nothing_that_was_taken_up_after_it_looked(tmp_path: Path) -> None:
    store, before = Store(tmp_path), time.time() + 1
    names = ("unused", "used again", "an input of a build", "built anew")
    artifacts = {name: build(store, name) for name in names}
    doomed = collect(store, before)
    assert set(doomed) == {a.path for a in artifacts.values()}
    os.utime(artifacts["used again"].path, (before, before))
    gone = {}

    def make(folder: Path) -> None:
        with store.lock("text", artifacts["built anew"].key, "building"):
            gone.update({p: delete(store, p, before) for p in doomed})

    inputs = {"x": artifacts["an input of a build"]}
    store.build(Recipe("result", config={}, inputs=inputs, code="1"), make)
    assert [name for name, artifact in artifacts.items() if gone[artifact.path]] == ["unused"]
    assert [name for name, artifact in artifacts.items() if not artifact.path.exists()] == ["unused"]


def test_a_deletion_that_was_killed_is_finished_and_never_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, before = Store(tmp_path), time.time() + 1
    artifact = build(store)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", _killed_deletion)
        with pytest.raises(KeyboardInterrupt):
            delete(store, artifact.path, before)
    assert list(store.artifacts()) == []
    (left,) = collect(store, 1)
    assert left.name == f".{artifact.key}.deleting"
    assert delete(store, left, 1)
    assert list((tmp_path / "text").iterdir()) == []


def _killed_deletion(folder: Path, ignore_errors: bool = False) -> None:
    if not ignore_errors:
        (folder / MANIFEST).unlink()
        raise KeyboardInterrupt


def _interrupted(folder: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("kind", "key"), [("..", "victim"), ("text", "../../victim"), ("text", "other")])
def test_a_manifest_is_believed_only_of_its_own_folder(tmp_path: Path, kind: str, key: str) -> None:
    store, victim = Store(tmp_path / "store"), tmp_path / "victim"
    victim.mkdir()
    artifact = build(store)
    manifest = json.loads((artifact.path / MANIFEST).read_text()) | {"kind": kind, "key": key}
    (artifact.path / MANIFEST).write_text(json.dumps(manifest))
    os.utime(victim, (1, 1))
    assert collect(store, before=time.time() + 1) == []
    assert list(store.artifacts()) == []
    with pytest.raises(StoreError, match="is that of"):
        store.get("text", artifact.key)


def test_what_a_link_leads_to_is_no_artifact(tmp_path: Path) -> None:
    outside = build(Store(tmp_path / "outside"))
    store = Store(tmp_path / "store")
    build(store, "other")
    (store.root / "text" / outside.key).symlink_to(outside.path)
    assert [m.key for m in store.artifacts()] == [build(store, "other").key]


def test_an_edited_digest_an_emptied_list_and_an_added_file_are_told(tmp_path: Path) -> None:
    artifact = build(Store(tmp_path))
    manifest = Manifest.read(artifact.path)
    assert manifest.problems(artifact.path, full=True) == []
    assert "edited" in manifest.model_copy(update={"digest": "0" * 20}).problems(artifact.path)[0]
    emptied = manifest.model_copy(update={"files": []}).problems(artifact.path, full=True)
    assert "edited" in emptied[0]
    assert "sub/a.txt is not listed" in emptied


def test_a_hit_hashes_some_of_the_files(tmp_path: Path) -> None:
    artifact = build(Store(tmp_path))
    (artifact.path / "sub" / "a.txt").write_text("HELLO")
    with pytest.raises(StoreError, match="SHA-256"):
        Store(tmp_path).get("text", artifact.key)
    assert not build(Store(tmp_path)).cached


def test_damage_that_one_sample_finds_is_not_missed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(folder: Path) -> None:
        for name in "ab":
            (folder / name).write_text("hello")

    recipe = Recipe("text", config={}, inputs={}, code="1")
    artifact = Store(tmp_path).build(recipe, make)
    (artifact.path / "a").write_text("HELLO")
    drawn = iter(("a", "b", "b"))

    def sample(files: list, _: int) -> list:
        name = next(drawn)
        return [entry for entry in files if entry.path == name]

    monkeypatch.setattr("tasks.store.manifest.random.sample", sample)
    assert not Store(tmp_path).build(recipe, make).cached
    assert (artifact.path / "a").read_text() == "hello"


def test_a_file_of_weight_is_compared_when_it_is_opened(tmp_path: Path) -> None:
    artifact = build(Store(tmp_path))
    manifest = Manifest.read(artifact.path)
    assert manifest.checked(artifact.path, "sub/a.txt").read_text() == "hello"
    (artifact.path / "sub" / "a.txt").write_text("HELLO")
    with pytest.raises(StoreError, match="SHA-256"):
        manifest.checked(artifact.path, "sub/a.txt")
    with pytest.raises(StoreError, match="lists no other"):
        manifest.checked(artifact.path, "other")


def test_a_hit_needs_no_write_access_and_a_build_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(Store(tmp_path))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # the tests may run as root, whom no mode stops
    monkeypatch.setattr(os, "utime", refuse)
    assert build(Store(tmp_path)).cached
    with pytest.raises(StoreError, match=r"text cannot be built here \(Permission denied\)"):
        build(Store(tmp_path), "other")


def test_find_builds_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    recipe = Recipe("text", config={"text": "hello"}, inputs={}, code="1")
    assert store.find(recipe) is None
    assert not store.root.exists()
    made = store.build(recipe, make_text())
    assert store.find(recipe) == made.model_copy(update={"cached": True})
    (made.path / "sub" / "a.txt").unlink()
    assert store.find(recipe) is None


def test_a_pipe_is_no_file_to_hash(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        file_sha256(tmp_path / "pipe")

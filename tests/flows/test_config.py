"""The pipeline's configuration: the committed files load, and impossible combinations are refused."""

from pathlib import Path

import pytest

from flows.config import PipelineConfig, TrainTranslatorConfig, overridden
from flows.shape import judges, tables_of
from flows.smoke import SMOKE, shrunk
from tasks.catalogue.language import say
from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.datasets.table import Sample, SampleTable, TableInfo
from tasks.retrain.preflight import few_images
from tasks.settings.loading import load
from tasks.settings.reading import ConfigError, read


@pytest.fixture(autouse=True)
def _data_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "data")


@pytest.mark.parametrize("path", sorted(Path("configs/pipelines").glob("*.yaml")), ids=lambda p: p.stem)
def test_committed_pipelines_load_and_their_files_exist(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGG19", "vgg19.pth")  # which no repository holds
    config = PipelineConfig.model_validate(read(path).values)
    missing = {"there is no file vgg19.pth"} if path.stem == "morai2cityscapes-methods" else set()
    assert {say(p.finding).partition(";")[0] for p in config.problems()} == missing
    assert config.datasets.taxonomy.is_file()
    assert all(training.config.is_file() for training in config.retrain.tasks().values())
    assert config.arms()


@pytest.mark.parametrize("path", sorted(Path("configs/translators").glob("*.yaml")), ids=lambda p: p.stem)
def test_committed_translators_load(path: Path) -> None:
    assert TrainTranslatorConfig.model_validate(read(path).values).translator.name


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("retrain.arms=[real, imaginary]", "unknown arm 'imaginary'"),
        ("retrain.arms=[real, real]", "an arm is named twice"),
        ("retrain.arms=['translated(nobody)']", "names no translator"),
        ("retrain.arms=[{first: translated(nobody), then: real}]", "names no translator"),
        ("retrain.arms=[real+source, {mix: [source, real]}]", "an arm is named twice: real\\+source"),
        (
            "retrain.arms=[real, {mix: [real, source], ratio: [1, 0]}]",
            r"arms\.1: ratio takes whole numbers of 1 or more",
        ),
        ("retrain.arms=['pseudo(source)']", r"images that a model labelled are of self_train\(\.\.\.\) alone"),
        ("retrain.seeds=[1, 1]", "a seed is named twice"),
        ("retrain.detection.iterations=0", "greater than or equal to 1"),
        ("name=../up", "no folder name"),
        ("datasets.source.format=nuscenes", "format"),
        ("translate.translators=[]", "translators"),
        ("store=[1]", "store"),
    ],
)
def test_impossible_settings_are_refused(override: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load(SMOKE, PipelineConfig, [override])


def test_neither_task() -> None:
    with pytest.raises(ConfigError, match="neither detection nor segmentation"):
        load(SMOKE, PipelineConfig, ["retrain.detection=null", "retrain.segmentation=null"])


def test_bare_translated_stands_for_every_translator() -> None:
    config = load(SMOKE, PipelineConfig, ["retrain.arms=[real, translated, real+translated(cut), translated(cut)]"])
    one_each = tuple(f"translated({t.name})" for t in config.translate.translators)
    assert config.arms() == ("real", *one_each, "real+translated(cut)")


def test_flow_parameter_may_be_the_model_itself() -> None:
    config = load(SMOKE, PipelineConfig)
    assert overridden(config, {}, PipelineConfig) == config
    assert overridden(config, {"retrain.seeds": [4]}, PipelineConfig).retrain.seeds == (4,)


def test_shrinking_keeps_the_arms_and_limits_the_work() -> None:
    config = load(Path("configs/pipelines/morai2cityscapes.yaml"), PipelineConfig)
    small = shrunk(config)
    assert small.arms() == config.arms()
    assert small.name == "smoke-morai2cityscapes"
    assert small.datasets.benchmark.images == 8
    assert [t.iterations for t in small.retrain.tasks().values()] == [4, 4]
    assert small.retrain.seeds == (0,)


def test_tables_of_an_arm() -> None:
    def artifact(name: str) -> Artifact:
        return Artifact(kind="dataset", key=name, digest=name, path=Path(name), seconds=0, cached=False)

    sets = {role: artifact(role) for role in ("source", "target", "benchmark")}
    translated = {"cut": artifact("cut"), "fda": artifact("fda")}
    arms = {
        "real": "target",
        "source": "source",
        "translated(cut)": "cut",
        "real+source": "target source",
        "real+translated(fda)": "target fda",
    }
    for arm, expected in arms.items():
        assert [a.key for a in tables_of(Arm(arm), sets, translated)] == expected.split()


def test_labels_needed_are_those_of_the_tasks_and_arms() -> None:
    settings = load(SMOKE, PipelineConfig)
    both = ("detection", "segmentation")
    assert {role: len(labels) for role, labels in settings.labels_needed().items()} == dict.fromkeys(
        ("benchmark", "target", "source"), len(both)
    )
    alone = load(SMOKE, PipelineConfig, ["retrain.arms=[source]", "retrain.detection=null"])
    assert alone.labels_needed() == {"benchmark": ("masks",), "source": ("masks",)}
    mixed = load(SMOKE, PipelineConfig, ["retrain.arms=[real+translated]"])
    assert set(mixed.labels_needed()) == {"benchmark", "target", "source"}


def test_judges_of_a_small_budget_have_a_curve() -> None:
    sets = ["audit.judge_iterations=6", "retrain.segmentation.log_every=4"]
    small = judges(load(SMOKE, PipelineConfig, sets)).tasks()
    assert {task: (t.iterations, t.log_every) for task, t in small.items()} == {
        "detection": (6, 6),
        "segmentation": (6, 4),
    }
    whole = load(SMOKE, PipelineConfig, ["audit.judge_iterations=null"])
    assert [t.iterations for t in judges(whole).tasks().values()] == [
        t.iterations for t in whole.retrain.tasks().values()
    ]


def test_an_arm_that_leaves_a_phase_without_iterations_is_refused() -> None:
    arms = "retrain.arms=[real, {first: source, then: real}]"
    once = ["retrain.segmentation.iterations=1", "retrain.segmentation.log_every=1", "retrain.detection=null"]
    with pytest.raises(
        ConfigError, match=r"retrain\.arms\.1: 1 iterations of segmentation leave none .* source then real"
    ):
        load(SMOKE, PipelineConfig, [arms, *once])


def test_more_images_than_there_are_are_told_when_the_sets_were_read(squares: SampleTable) -> None:
    arms = "retrain.arms=[real, {of: real, images: 3}, {mix: [{of: real, images: 4}, {of: source, images: 2}]}]"
    config = load(SMOKE, PipelineConfig, [arms, "retrain.detection=null"]).retrain
    found = list(few_images(config, {"target": squares, "source": squares}))
    assert [(p.place, p.finding.values["images"], p.finding.values["side"]) for p in found] == [
        (("arms", 2), 4, "target")
    ]
    assert say(found[0].finding).startswith("real[4]+source[2] takes 4 images, and the target has 3 with masks")


@pytest.fixture
def squares(tmp_path: Path) -> SampleTable:
    """Three images with masks."""
    info = TableInfo(dataset="three", classes=(), detection=(), encoding=None, boxes_from=None)
    rows = (Sample(str(i), tmp_path / "i", tmp_path / "m", 8, 8, "train", "", "", None) for i in range(3))
    return SampleTable.from_samples(rows, info, tmp_path)

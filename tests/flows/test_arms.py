"""A whole run of every kind of arm on the embedded sample: trained, scored, compared, planned, reported."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from flows.augment import augment
from flows.config import PipelineConfig
from flows.plan.run import plan_run
from tasks.audit import stage as audit
from tasks.contracts.audit import Audit
from tasks.contracts.comparison import Comparison
from tasks.contracts.model_card import ModelCard
from tasks.contracts.record import RunRecord
from tasks.datasets.make_dataset import build_dataset
from tasks.datasets.table import SampleTable
from tasks.evaluate import stage as evaluate
from tasks.retrain import stage as retrain
from tasks.settings.loading import load
from tasks.store.store import Store
from tasks.translate import stage as translate
from tests.workers import HERE

FORMS = [
    "real",
    "source",
    "source(augmented)",
    {"of": "real", "images": 2},
    {"mix": ["real", "translated(fda)"], "ratio": [3, 1]},
    {"mix": [{"of": "real", "images": 2}, "translated(fda)"]},
    {"first": "translated(fda)", "then": "real"},
    {"self_train": "translated(fda)", "on": "target"},
]
ARMS = [
    *("real", "source", "source(augmented)", "real[2]", "3 real + 1 translated(fda)", "real[2]+translated(fda)"),
    *("translated(fda) then real", "self_train(translated(fda))"),
]
OVERRIDES = {
    "retrain.arms": FORMS,
    "retrain.self_training": {"score": 0.0},  # after two iterations a detector is sure of nothing
    "translate.translators": [{"method": "fda", "beta": 0.05}],
    "audit": None,
    "retrain.detection": None,
    "compute.workers": 1,  # all of it in this process
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, write_tiny: Callable[[Path], Path]) -> Path:
    return write_tiny(tmp_path_factory.mktemp("arms"))


@pytest.fixture(scope="module")
def here(prefect_server: None) -> Iterator[None]:
    """Work in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for stage in (retrain, evaluate, translate, audit):
            patch.setattr(stage, "this_machine", lambda *_: HERE)
        # Formatting what is logged takes most of the time.
        patch.setattr("yapf.yapflib.yapf_api.FormatCode", lambda text, **_: (text, True))
        yield


@pytest.fixture(scope="module")
def record(config: Path, here: None) -> RunRecord:
    return augment(config, OVERRIDES)


def test_every_arm_is_trained_scored_and_told_by_its_name(config: Path, record: RunRecord) -> None:
    assert (record.failures, [r.arm for r in record.results]) == ((), ARMS)
    told = json.loads((config.parent / "runs" / "tiny" / "report" / "report.json").read_text())
    labels = {row["arm"]: row["label"] for row in told["tables"][0]["rows"]}
    assert list(labels) == ARMS
    assert [labels[arm] for arm in ARMS[2:]] == [
        "Simulator (augmented)",
        "2 real",
        "3 × real + 1 × translated (fda)",
        "2 real + translated (fda)",
        "Translated (fda), then real",
        "Self-trained (translated (fda))",
    ]


def test_all_arms_have_the_same_budget(record: RunRecord) -> None:
    cards = [ModelCard.read(r.model.path) for r in record.results]
    assert {(card.iterations, card.batch) for card in cards} == {(2, 2)}


def test_what_each_arm_was_made_of(record: RunRecord) -> None:
    of = {r.arm: (r.images, r.drawn) for r in record.results}
    fda = "translated(fda)"
    assert of["real[2]"] == ({"real[2]": 2}, {"real[2]": 1.0})
    assert of["3 real + 1 translated(fda)"] == ({"real": 3, fda: 4}, {"real": 0.75, fda: 0.25})
    assert of["real[2]+translated(fda)"][1] == {"real[2]": 0.3333, fda: 0.6667}
    assert of["translated(fda) then real"][1] == {"real": 0.5, fda: 0.5}
    assert of["self_train(translated(fda))"] == ({fda: 4, f"pseudo({fda})": 3}, {fda: 0.5, f"pseudo({fda})": 0.5})


def test_target_images_are_labelled_by_the_arms_own_model(record: RunRecord) -> None:
    (student,) = (r for r in record.results if r.arm.teacher is not None)
    assert student.teacher is not None
    assert student.pseudo_labels is not None
    stages = {str(stage): artifact for stage, artifact in record.artifacts().items()}
    assert stages["retrain segmentation translated(fda) seed 0"] == student.teacher
    assert stages["pseudo-labels segmentation translated(fda) seed 0"] == student.pseudo_labels
    target, labelled = (SampleTable.read(a.path) for a in (record.target, student.pseudo_labels))
    assert [s.image for s in labelled] == [s.image for s in target]
    assert {s.mask for s in labelled}.isdisjoint({s.mask for s in target})
    assert all(sum(s.class_pixels or ()) > 0 for s in labelled)


def test_arms_are_compared_with_what_they_are_built_on(record: RunRecord) -> None:
    assert record.comparison is not None
    (task,) = Comparison.read(record.comparison.path).tasks
    pairs = {(d.arm, d.against) for d in task.differences}
    assert pairs >= {(arm, side) for arm in ARMS for side in ("source", "real") if arm != side}
    assert ("real[2]+translated(fda)", "real[2]") in pairs


def test_the_plan_names_what_arms_need_and_finds_it_after_the_run(config: Path, record: RunRecord) -> None:
    sets = [f"{key}={json.dumps(value)}" for key, value in OVERRIDES.items()]
    stages = {s.name: s.state for s in plan_run(load(config, PipelineConfig, sets))}
    assert {*stages.values()} == {"found"}
    assert "retrain segmentation translated(fda) seed 0" in stages
    assert list(stages).index("pseudo-labels segmentation translated(fda) seed 0") < list(stages).index(
        "retrain segmentation self_train(translated(fda)) seed 0"
    )
    # The teacher of another seed, what it labels, and the student wait for each other.
    more = {s.name: s for s in plan_run(load(config, PipelineConfig, [*sets, "retrain.seeds=[1]"]))}
    assert more["pseudo-labels segmentation translated(fda) seed 1"].after == (
        "retrain segmentation translated(fda) seed 1",
    )
    student = more["retrain segmentation self_train(translated(fda)) seed 1"]
    assert (student.state, student.after) == ("after", ("pseudo-labels segmentation translated(fda) seed 1",))


INVERT = """
import sys
from pathlib import Path
from PIL import Image, ImageOps

for path in Path(sys.argv[1]).iterdir():
    ImageOps.invert(Image.open(path).convert("RGB")).save(Path(sys.argv[2], path.stem + ".png"))
"""


def test_what_other_programs_make_takes_part_like_any_method(config: Path, here: None) -> None:
    program, made = config.with_name("invert.py"), config.with_name("made")
    program.write_text(INVERT)
    made.mkdir()
    datasets = load(config, PipelineConfig).datasets
    for sample in SampleTable.read(build_dataset(datasets.source, datasets, Store(config.parent / "store")).path):
        cv2.imwrite(str(made / f"{sample.image.stem}.png"), cv2.GaussianBlur(cv2.imread(str(sample.image)), (5, 5), 0))
    outside = [
        {"method": "images", "name": "blurred", "folders": [str(made)]},
        {"method": "command", "name": "inverted", "command": [sys.executable, str(program), "{images}", "{output}"]},
    ]
    changes = {**OVERRIDES, "translate.translators": outside, "retrain.arms": ["source", "translated"], "audit": {}}
    found = augment(config, changes)
    assert (found.failures, [r.arm for r in found.results]) == (
        (),
        ["source", "translated(blurred)", "translated(inverted)"],
    )
    images = {name: SampleTable.read(artifact.path) for name, artifact in found.translated.items()}
    for name, change in (("blurred", lambda image: cv2.GaussianBlur(image, (5, 5), 0)), ("inverted", cv2.bitwise_not)):
        for before, after in zip(SampleTable.read(found.source.path), images[name], strict=True):
            assert (cv2.imread(str(after.image)) == change(cv2.imread(str(before.image)))).all()
    assert all(Audit.read(found.audits[name].path).images == 4 for name in images)
    told = json.loads((config.parent / "runs" / "tiny" / "report" / "report.json").read_text())
    assert {row["name"]: row["method"] for row in told["translators"]} == {"blurred": "images", "inverted": "command"}
    stages = plan_run(load(config, PipelineConfig, [f"{key}={json.dumps(value)}" for key, value in changes.items()]))
    assert {s.state for s in stages} == {"found"}

"""A judge that validates a translator in training is trained before it: in the flow, the plan, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import datasets
from flows.config import PipelineConfig, TrainTranslatorConfig
from flows.plan.run import plan_run
from flows.smoke import SMOKE, shrunk
from tasks.contracts.artifact import Artifact
from tasks.datasets.table import SampleTable
from tasks.settings.loading import load
from tasks.settings.reading import ConfigError
from tasks.translate.preflight import validation_problems

CUT = "{method: cut, training: {iterations: 9, crop: 32, validation: {every: 3, images: 2, judge: true}}}"
JUDGED = [
    "retrain.arms=[source]",
    f"translate.translators=[{CUT}, {{method: cut, name: plain, training: {{iterations: 9, crop: 32}}}}]",
]


def artifact(kind: str) -> Artifact:
    return Artifact(kind=kind, key=kind, digest=kind, path=Path(kind), seconds=0, cached=False)


@pytest.fixture
def tiny(tmp_path: Path, write_tiny: Callable[..., Path]) -> PipelineConfig:
    return load(write_tiny(tmp_path), PipelineConfig, JUDGED)


class Submitted:
    """Stands in for one of Prefect's tasks: what it was called with, and what it gives."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def submit(self, *arguments: Any) -> "Submitted":
        self.calls.append(arguments)
        return self

    def result(self) -> Artifact:
        return artifact("result")


def test_the_flow_trains_the_judge_and_gives_it_to_whom_it_judges(
    tiny: PipelineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, translator, translated = Submitted(), Submitted(), Submitted()
    for name, stands_in in {"train_model": model, "train_translator": translator, "translate": translated}.items():
        monkeypatch.setattr(datasets, name, stands_in)
    monkeypatch.setattr(datasets, "weighted", lambda retrain, _: retrain)
    monkeypatch.setattr(datasets, "SampleTable", SimpleNamespace(read=lambda _: None))
    target = artifact("target")
    datasets.translate_source.fn(tiny, artifact("source"), target)
    ((task, arm, seed, sets, *_),) = model.calls
    assert (task, arm, seed, sets) == ("segmentation", "judge", 0, (target,))
    judged, plain = ((call[0].name, *call[5:]) for call in translator.calls)
    assert judged == ("cut", model, "tasks.evaluate.frozen_judge")
    assert plain[:2] == ("plain", None)


def test_the_plan_says_so(tiny: PipelineConfig) -> None:
    stages = {stage.name: stage for stage in plan_run(tiny)}
    order = list(stages)
    assert order.index("retrain segmentation judge") < order.index("train translator cut")
    assert "retrain segmentation judge" in stages["train translator cut"].after
    assert "retrain segmentation judge" not in stages["train translator plain"].after
    assert len(order) == len(plan_run(tiny)), "no stage twice"


@pytest.mark.parametrize("without", ["audit=null", "retrain.segmentation=null"])
def test_a_judge_that_nothing_trains_is_told(tmp_path: Path, write_tiny: Callable[..., Path], without: str) -> None:
    with pytest.raises(ConfigError, match=r"translators\.0\.training\.validation\.judge: the judge is the audit's"):
        load(write_tiny(tmp_path), PipelineConfig, [*JUDGED, without])


def test_a_translator_trained_alone_has_no_judge() -> None:
    change = "translator.training.validation={every: 50, judge: true}"
    with pytest.raises(ConfigError, match=r"translator\.training\.validation\.judge: the judge is the audit's segm"):
        load(Path("configs/translators/cut-smoke.yaml"), TrainTranslatorConfig, [change])


def test_labels_that_the_judge_needs_are_asked_for(tiny: PipelineConfig) -> None:
    arms = load(SMOKE, PipelineConfig, ["retrain.detection=null", *JUDGED])
    assert set(arms.labels_needed()) == {"source", "target", "benchmark"}
    plain = load(SMOKE, PipelineConfig, ["retrain.arms=[source]", "retrain.detection=null"])
    assert set(plain.labels_needed()) == {"source", "benchmark"}


def test_a_pipeline_that_is_shrunk_validates_what_is_left() -> None:
    small = shrunk(load(SMOKE, PipelineConfig, JUDGED))
    assert small.translate.translators[0].training.validation.model_dump(include={"every", "images"}) == {  # type: ignore[union-attr]
        "every": 3,
        "images": 2,
    }


class Images:
    """So many images, of which so many have masks."""

    def __init__(self, count: int, masks: int) -> None:
        self.count, self.masks = count, masks

    def __len__(self) -> int:
        return self.count

    def labelled(self, _: str) -> range:
        return range(self.masks)


def test_more_images_than_there_are_are_refused(tiny: PipelineConfig) -> None:
    def told(source: Images, target: Images) -> list[tuple[str, str]]:
        tables: dict[str, SampleTable] = {"source": source, "target": target}  # type: ignore[dict-item]
        problems = validation_problems(tiny.translate.translators[0], tables)
        return [(".".join(map(str, p.place)), p.finding.code) for p in problems]

    place = "training.validation.images"
    assert told(Images(2, 2), Images(2, 0)) == []
    assert told(Images(9, 1), Images(1, 1)) == [
        (place, "settings.few_labelled_to_validate"),
        (place, "settings.few_to_validate"),
    ]

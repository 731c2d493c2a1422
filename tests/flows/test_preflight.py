"""What a pipeline's configuration says when it is loaded: file, line, key and a sentence."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.config import PipelineConfig, ReevaluateConfig, TrainTranslatorConfig
from flows.preflight import refuse_data, unwritable
from flows.smoke import SMOKE
from tasks.contracts.artifact import Artifact
from tasks.datasets.errors import DatasetError
from tasks.datasets.masks import MaskEncoding
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo
from tasks.settings.loading import load
from tasks.settings.reading import ConfigError


def told(path: Path, *sets: str) -> list[str]:
    """The lines of the refusal; none where the configuration loads."""
    try:
        load(path, PipelineConfig, sets)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def test_nothing_is_wrong_with_smoke() -> None:
    assert told(SMOKE) == []


def test_everything_at_once_with_file_and_line(tmp_path: Path, write_tiny: Callable[..., Path]) -> None:
    path = write_tiny(tmp_path)
    path.write_text(
        path.read_text().replace("efficientnet_lite0_atss.py", "nothing.py").replace("log_every: 1", "log_every: 3")
    )
    text = path.read_text().splitlines()
    network, detection, segmentation = (
        i for i, line in enumerate(text, 1) if "nothing.py" in line or "log_every: 3" in line
    )
    assert [line.split(" ")[:2] for line in told(path)] == [
        [f"{path}:{detection}:", "retrain.detection.log_every:"],
        [f"{path}:{network}:", "retrain.detection.config:"],
        [f"{path}:{segmentation}:", "retrain.segmentation.log_every:"],
    ]


def test_places_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (line,) = told(SMOKE, f"store={tmp_path}/file/store")
    assert line == f"override store:1: store: {tmp_path}/file/store cannot be a folder: {tmp_path}/file is a file"
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    lines = told(SMOKE, f"store={tmp_path}/deep/store", f"output={tmp_path}")
    assert [line.partition(f": {tmp_path}")[0] for line in lines] == [
        "override store:1: store",
        "override output:1: output",
    ]
    assert all(f"{tmp_path} cannot be written to" in line for line in lines)


def test_a_place_in_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, stat = tmp_path / "closed", os.stat
    closed.mkdir()

    def refusing(path: Any, **more: Any) -> os.stat_result:
        if closed in Path(os.fspath(path)).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    (finding,) = unwritable(closed / "deep" / "store")
    assert finding.values["folder"] == closed


def test_prefect_has_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PREFECT_HOME", f"{tmp_path}/file")
    (line,) = told(SMOKE)
    assert line.startswith(f"{SMOKE}:2: configuration: Prefect's database has no place: {tmp_path}/file cannot be a")
    monkeypatch.setenv("PREFECT_HOME", "~nobody-of-this-name/prefect")
    (line,) = told(SMOKE)
    assert "set HOME or PREFECT_HOME" in line


def test_paths_of_a_user_that_there_is_not() -> None:
    (line,) = told(SMOKE, "store=~nobody-of-this-name/store")
    assert line.endswith("store: ~nobody-of-this-name/store: there is no user ~nobody-of-this-name")


def test_seeds_are_not_negative() -> None:
    assert told(SMOKE, "retrain.seeds=[0,-1]")[0].startswith("override retrain.seeds:1: retrain.seeds.1: ")
    assert "datasets.target.seed" in told(SMOKE, "datasets.target.seed=-1")[0]


def test_every_section_is_looked_at(tmp_path: Path) -> None:
    nothing = {"path": str(tmp_path / "none"), "sha256": "0" * 64}
    sets = [
        "datasets.target={format: folder, name: mine, root: x}",
        f"translate.translators.3.weights={nothing}",
        f"retrain.detection.init={nothing}",
        f"audit.inception={nothing}",
    ]
    assert [line.split(": ")[1] for line in told(SMOKE, *sets)] == [
        "datasets.target.name",
        "translate.translators.3.weights.path",
        "retrain.detection.init.path",
        "audit.inception.path",
    ]


def test_what_only_trained_a_model_is_not_needed_to_score_it_again(tmp_path: Path) -> None:
    nothing = {"path": str(tmp_path / "none"), "sha256": "0" * 64}
    gone = [f"retrain.detection.init={nothing}", f"translate.translators.3.weights={nothing}"]
    assert load(SMOKE, ReevaluateConfig, gone).retrain.detection is not None
    assert len(told(SMOKE, *gone)) == 2
    with pytest.raises(ConfigError, match=r"datasets\.benchmark: masks are needed"):
        load(SMOKE, ReevaluateConfig, ["datasets.benchmark={format: kitti, root: x, labels: object}"])


def test_one_translator_alone(tmp_path: Path) -> None:
    path = Path("configs/translators/cut-smoke.yaml")
    with pytest.raises(ConfigError) as caught:
        load(path, TrainTranslatorConfig, ["translator.training.width=32", "translator.training.crop=64"])
    assert str(caught.value).startswith("override translator.training.crop:1: translator.training.crop: crops of 64")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("translator={method: reinhard}", "translator: reinhard learns nothing"),
        ("translator={method: images, folders: [x]}", "translator: images learns nothing: only a pipeline applies it"),
        (f"translator.weights={{path: x, sha256: '{'0' * 64}'}}", "translator: weights names a trained generator"),
    ],
)
def test_what_does_not_learn_is_not_trained(change: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load(Path("configs/translators/cut-smoke.yaml"), TrainTranslatorConfig, [change])


def test_labels_that_no_map_gives() -> None:
    source = "datasets.source={format: kitti, root: x, labels: object}"
    (line,) = told(SMOKE, source)
    assert (
        "datasets.source: masks are needed of this data set, but configs/taxonomies/cityscapes19/kitti_object" in line
    )
    assert told(SMOKE, source, "retrain.segmentation=null") == []


def drawn(folder: Path, role: str, size: tuple[int, int], impossible: tuple[str, ...] = ()) -> Artifact:
    """A data set of one blank image that has labels, as an artifact."""
    sample = Sample("a", Path("/a.png"), Path("/m.png"), *size, "val", "s", None, (), class_pixels=(1,) * 19)
    info = TableInfo(
        dataset=role,
        classes=tuple(SegmentationClass(name=str(i), color=(i, 0, 0)) for i in range(19)),
        detection=("car",),
        encoding=MaskEncoding(kind="index", indices={0: 0}),
        boxes_from="annotated",
        impossible=impossible,
    )
    (folder / role).mkdir()
    SampleTable.from_samples([sample], info, folder / role).write(folder / role)
    return Artifact(kind="dataset", key=role, digest=role, path=folder / role, seconds=0, cached=False)


def test_data_that_does_not_suit_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    settings = load(SMOKE, PipelineConfig, ["retrain.detection=null"])
    good = {role: drawn(tmp_path, role, (256, 128)) for role in ("source", "target", "benchmark")}
    refuse_data(settings, good)
    crop = settings.translate.translators[3].training.crop  # type: ignore[union-attr]
    small = drawn(tmp_path, "small", (crop + 9, crop - 1))
    with pytest.raises(DatasetError) as caught:
        refuse_data(settings, {**good, "target": small})
    head, line = str(caught.value).splitlines()
    assert head == "the data sets do not suit the configuration:"
    assert line.startswith("  translate.translators.3.training.crop: 1 of the images of target are smaller than the")
    boxes = load(SMOKE, PipelineConfig)
    with pytest.raises(DatasetError, match=r"datasets\.benchmark: none of the 1 images of benchmark has a box"):
        refuse_data(boxes, good)
    shared = load(SMOKE, PipelineConfig, ["retrain.detection=null", "evaluate.classes=shared"])
    refuse_data(shared, good)
    nothing = drawn(tmp_path, "nothing", (256, 128), impossible=tuple(map(str, range(19))))
    with pytest.raises(DatasetError, match=r"evaluate\.classes: shared leaves no class of segmentation to score"):
        refuse_data(shared, {**good, "source": nothing})
    alone = load(Path("configs/translators/cut-smoke.yaml"), TrainTranslatorConfig)
    with pytest.raises(DatasetError, match=r"translator\.training\.crop: 1 of the images of target"):
        refuse_data(alone, {**good, "target": small})

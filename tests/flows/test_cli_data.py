"""``sim2real data``, and the check that every flow makes first."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from flows.cli.app import invoke
from flows.config import PipelineConfig
from flows.plan.run import plan_run
from tasks.contracts.artifact import Artifact
from tasks.datasets.config import CityscapesDataset, DatasetsConfig
from tasks.datasets.errors import ChecksFailed
from tasks.datasets.make_checks import build_checks
from tasks.datasets.make_dataset import build_dataset
from tasks.datasets.stage import check
from tasks.datasets.table import SampleTable
from tasks.settings.loading import load
from tasks.store.manifest import Manifest
from tasks.store.store import Store
from tests.datasets.writers import cityscapes
from tests.datasets.writers.scene import draw

TAXONOMY = Path("configs/taxonomies/cityscapes19.yaml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Cityscapes with the splits train, val and leaky, which is train under other names."""
    things = cityscapes.FORMAT.things
    for split, numbers in (("train", range(4)), ("val", range(4, 8)), ("leaky", range(4))):
        made = tmp_path / "made"
        cityscapes.write(made, [draw(n, cityscapes.FORMAT.stuff, things) for n in numbers])
        for kind in ("leftImg8bit", "gtFine"):
            shutil.move(made / kind / "train" / "ulm", tmp_path / kind / split / split)
            for path in (tmp_path / kind / split / split).iterdir():
                path.rename(path.with_name(path.name.replace("ulm", split)))
    return tmp_path


def section(root: Path, benchmark: str = "val") -> DatasetsConfig:
    def split(name: str) -> CityscapesDataset:
        return CityscapesDataset(format="cityscapes", root=root, split=name)

    return DatasetsConfig(taxonomy=TAXONOMY, source=split("train"), target=split("train"), benchmark=split(benchmark))


@pytest.fixture
def config(root: Path) -> Path:
    """A run's configuration, of which only the data sets count here."""
    path = root / "run.yaml"
    places = {"store": str(root / "store"), "output": str(root / "runs")}
    datasets = section(root).model_dump(mode="json")
    path.write_text(yaml.safe_dump({"name": "r", **places, "datasets": datasets, "retrain": {"not": "looked at"}}))
    return path


def test_check(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["data", "check", str(config)]) == 0
    out = capsys.readouterr().out
    page = Path(re.findall(r"page: (.*)", out)[0])
    assert "checks of the data passed" in out
    assert page.read_text().startswith("<!")


def test_a_run_finds_the_checks_that_were_made_ahead(tmp_path: Path) -> None:
    smoke = Path(__file__).parents[2] / "configs" / "pipelines" / "smoke.yaml"
    small = (f"datasets.{role}.{key}=6" for role in ("source", "target", "benchmark") for key in ("count", "images"))
    sets = [part for text in (f"store={tmp_path}", "report.language=ko", *small) for part in ("--set", text)]
    assert invoke(["data", "check", str(smoke), *sets]) == 0
    stages = {stage.name: stage.state for stage in plan_run(load(smoke, PipelineConfig, sets[1::2]))}
    assert stages["check data sets"] == "found"


def test_a_leak_fails_the_check_and_stops_a_run(config: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["data", "check", str(config), "--set", "datasets.benchmark.split=leaky"]) == 2
    assert "leak" in capsys.readouterr().out
    store, datasets = Store(root / "store"), section(root, "leaky")
    sets = {role: build_dataset(getattr(datasets, role), datasets, store) for role in ("source", "target", "benchmark")}
    with pytest.raises(ChecksFailed, match=r"not fit to be trained on:\n.*leak.*4") as caught:
        check.fn(sets, datasets, store)
    assert Path(str(caught.value).rsplit("with examples: ", 1)[1]).is_file()
    found: Artifact = build_checks(sets, datasets, store)
    assert found.cached
    assert Manifest.read(found.path).summary["errors"] == 2


def test_warnings_let_a_run_go_on(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    store, datasets = Store(root / "store"), section(root)
    sets = {role: build_dataset(getattr(datasets, role), datasets, store) for role in ("source", "target", "benchmark")}
    artifact = check.fn(sets, datasets, store)
    assert Manifest.read(artifact.path).summary["errors"] == 0
    told = [r for r in caplog.records if r.levelname == "WARNING" and r.name == "tasks.datasets.stage"]
    assert Manifest.read(artifact.path).summary["warnings"] == len(told) > 0


def test_show(config: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["data", "show", str(config), "--role", "target", "--images", "2"]) == 0
    assert "vegetation" in capsys.readouterr().out
    assert (root / "runs" / "r" / "datasets.html").is_file()
    assert invoke(["data", "show", str(config), "--role", "target", "--images", "2", "--language", "ko"]) == 0
    assert "레이블된 픽셀 중 비율" in capsys.readouterr().out
    assert 'lang="ko"' in (root / "runs" / "r" / "datasets.html").read_text(encoding="utf-8")


def test_export_of_a_configuration_and_of_a_table(config: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        invoke(["data", "export", str(config), "--role", "target", "--format", "coco", "--to", str(root / "out")]) == 0
    )
    assert len(list((root / "out" / "images" / "train").iterdir())) == 4
    artifact = build_dataset(section(root).target, section(root), Store(root / "store"))
    assert invoke(["data", "export", str(artifact.path), "--format", "yolo", "--to", str(root / "yolo")]) == 0
    assert len(list((root / "yolo" / "labels" / "train").iterdir())) == 4
    assert invoke(["data", "export", str(artifact.path), "--format", "yolo", "--to", str(root / "yolo")]) == 2
    assert str(root / "yolo") in capsys.readouterr().err


def test_a_crafted_table_is_told_in_a_line_and_writes_nothing_outside(
    config: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = build_dataset(section(root).target, section(root), Store(root / "store"))
    table, folder = SampleTable.read(artifact.path), tmp_path / "crafted"
    folder.mkdir()
    rows = list(table)
    for changes in ({"id": "../../escaped"}, {"split": "../../escaped"}, {"image": Path("@root/../escaped")}):
        SampleTable.from_samples([replace(rows[0], **changes), *rows[1:]], table.info, folder, root).write(folder)
        assert invoke(["data", "export", str(folder), "--format", "coco", "--to", str(tmp_path / "a" / "out")]) == 2
        assert "is no sample table that can be exported" in capsys.readouterr().err
    (folder / "samples.parquet").write_bytes(b"PAR1")
    assert invoke(["data", "export", str(folder), "--format", "coco", "--to", str(tmp_path / "a" / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ("datasets.target.root=/nowhere", "/nowhere/leftImg8bit/train: no such folder"),
        ("datasets.target.split=5", "datasets.target"),
        ("datasets.detection=[car, horse]", "horse is no detection class of taxonomy cityscapes19; it has person"),
        ("datasets.taxonomy=none.yaml", "there is no file none.yaml"),
    ],
)
def test_errors_are_one_message(config: Path, capsys: pytest.CaptureFixture[str], sets: str, message: str) -> None:
    assert invoke(["data", "check", str(config), "--set", sets]) == 2
    assert message in capsys.readouterr().err


def test_further_detection_classes(config: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = "datasets.detection=[bus, traffic sign]"
    assert invoke(["data", "show", str(config), "--set", chosen, "--role", "target"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"bus +target +4 ", out)
    assert "traffic sign" in out.split("boxes")[-1]

"""Features of frozen networks: that they are of the right images and weights, and what is said where they are not."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from tasks.audit.config import FeatureFile
from tasks.audit.extract import FeatureError, efficientnet_features, inception_features, segmenter_features
from tasks.datasets.table import Sample, SampleTable, SegmentationClass, TableInfo
from tasks.store.digest import file_sha256

INFO = TableInfo(
    dataset="d",
    classes=(SegmentationClass(name="x", color=(0, 0, 0)),),
    detection=("x",),
    encoding=None,
    boxes_from=None,
)


@pytest.fixture
def table(tmp_path: Path) -> SampleTable:
    rng = np.random.default_rng(0)
    samples = []
    for k, (width, height) in enumerate([(40, 30), (40, 30), (64, 48), (40, 30)]):
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(tmp_path / f"{k}.png")
        samples.append(Sample(f"i{k}", tmp_path / f"{k}.png", None, width, height, "train", "", None, None))
    return SampleTable.from_samples(samples, INFO, tmp_path)


def test_segmenter_features_are_read_in_order(tmp_path: Path) -> None:
    rows = {"id": ["b", "a"], "feature": [np.arange(3, dtype=np.float32), np.ones(3, np.float32)]}
    pq.write_table(pa.table(rows), tmp_path / "features.parquet")
    ids, values = segmenter_features(tmp_path)
    assert ids == ("b", "a")
    assert values.tolist() == [[0, 1, 2], [1, 1, 1]]
    assert values.dtype == np.float32


def test_segmenter_features_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"no file .*features\.parquet: images were not passed whole"):
        segmenter_features(tmp_path)
    (tmp_path / "features.parquet").write_bytes(b"no parquet")
    with pytest.raises(FeatureError, match=r"features\.parquet cannot be read .*evaluate it anew"):
        segmenter_features(tmp_path)
    pq.write_table(pa.table({"id": ["a", "b"], "feature": [[1.0, 2.0], [1.0]]}), tmp_path / "features.parquet")
    with pytest.raises(FeatureError, match="cannot be read"):
        segmenter_features(tmp_path)


def test_efficientnet_features_do_not_depend_on_their_neighbours(table: SampleTable) -> None:
    features = efficientnet_features()
    ids, values = features(table)
    assert ids == ("i0", "i1", "i2", "i3")
    assert values.shape == (4, 112)
    assert np.isfinite(values).all()
    alone = features(table.take([3]))[1]
    assert values[3] == pytest.approx(alone[0], abs=1e-4)
    assert np.abs(values[0] - values[1]).max() > 0.01
    drawn, some = features(table.take([0, 2]))
    assert len(drawn) == 2
    assert some == pytest.approx(values[[ids.index(i) for i in drawn]], abs=1e-4)


def test_efficientnet_whose_weights_are_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cut.pth").write_bytes(b"cut off")
    monkeypatch.setattr("tasks.translate.networks.features.imagenet_weights", lambda: tmp_path / "cut.pth")
    with pytest.raises(FeatureError, match=r"cut\.pth has SHA-256 .* instead of 57934424"):
        efficientnet_features()


class FakeInception(torch.nn.Module):
    """Stands for torch-fidelity's class: same arguments, same kinds of input and output."""

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str) -> None:
        super().__init__()
        assert features_list == ["2048"]
        self.scale = torch.nn.Parameter(torch.zeros(1))
        self.load_state_dict(torch.load(feature_extractor_weights_path))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        assert x.dtype == torch.uint8
        assert x.shape[1] == 3
        return (x.float().mean(dim=(2, 3)) * self.scale,)


@pytest.fixture
def fake_package(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("torch_fidelity")
    package.FeatureExtractorInceptionV3 = FakeInception  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)


def weights(path: Path, content: object) -> FeatureFile:
    torch.save(content, path)
    return FeatureFile(path=path, sha256=file_sha256(path))


@pytest.mark.usefixtures("fake_package")
def test_inception_gets_whole_images_and_the_file(table: SampleTable, tmp_path: Path) -> None:
    ids, values = inception_features(weights(tmp_path / "w.pth", {"scale": torch.full((1,), 2.0)}))(table)
    pixels = [np.asarray(Image.open(s.image)).mean(axis=(0, 1)) for s in table]
    assert ids == ("i0", "i1", "i2", "i3")
    assert values == pytest.approx(2 * np.stack(pixels), rel=1e-4)


@pytest.mark.usefixtures("fake_package")
def test_files_that_are_not_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    good = weights(path, {"scale": torch.ones(1)})
    wrong = FeatureFile(path=path, sha256="0" * 64)
    with pytest.raises(FeatureError, match=rf"torch-fidelity and .*w\.pth with SHA-256 0{{64}}.*{good.sha256}"):
        inception_features(wrong)
    with pytest.raises(FeatureError, match=rf"no\.pth with SHA-256 {good.sha256}: there is no such file"):
        inception_features(FeatureFile(path=tmp_path / "no.pth", sha256=good.sha256))
    with pytest.raises(FeatureError, match="does not hold that network's weights"):
        inception_features(weights(path, {"other": torch.ones(1)}))
    with pytest.raises(FeatureError, match="does not hold that network's weights"):
        inception_features(weights(path, Path("code that would be run")))
    path.write_bytes(b"no tensors")
    with pytest.raises(FeatureError, match="does not hold that network's weights"):
        inception_features(FeatureFile(path=path, sha256=file_sha256(path)))


def test_inception_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    file = FeatureFile(path=tmp_path / "w.pth", sha256="0" * 64)
    with pytest.raises(FeatureError, match=rf"w\.pth with SHA-256 {file.sha256}: .*is not installed: .*'\.\[fid\]'"):
        inception_features(file)


def test_torch_fidelity_itself_takes_the_file(table: SampleTable, tmp_path: Path) -> None:
    package = pytest.importorskip("torch_fidelity")
    from torch_fidelity import feature_extractor_inceptionv3 as module

    with pytest.MonkeyPatch.context() as patch:  # its class has no weights without a file: make one with random ones
        patch.setattr(module, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(package.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = package.FeatureExtractorInceptionV3("x", ["2048"], verbose=False)
    _, values = inception_features(weights(tmp_path / "w.pth", network.state_dict()))(table.take([0, 1]))
    assert values.shape == (2, 2048)
    pixels = np.stack([np.asarray(Image.open(s.image)) for s in table.take([0, 1])]).transpose(0, 3, 1, 2)
    assert values == pytest.approx(network(torch.from_numpy(pixels))[0].numpy(), abs=1e-5)

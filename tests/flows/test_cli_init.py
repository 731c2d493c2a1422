"""``sim2real init``: from folders of images to a configuration whose data pass the checks at the first try."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from flows.cli.app import invoke

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("road", "building", "sky", "car", "street furniture")


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (8, 12, 3)), np.ones((8, 8, 1))).astype(np.uint8)


def mask(seed: int) -> np.ndarray:
    """Sky, building and road, with a car at a place of its own and something that is none of the classes."""
    ids = np.repeat([2, 1, 0, 0], 16)[:, None].repeat(96, axis=1).astype(np.uint8)
    ids[44:56, 8 + seed : 28 + seed] = 3
    ids[:4, 90:] = 4
    return ids


def write_set(root: Path, split: str = "", count: int = 20, start: int = 0) -> Path:
    """Images, index masks and a COCO file as people keep them; ``split`` as a folder of its own."""
    images = [{"id": n, "file_name": f"{n:03d}.png", "width": 96, "height": 64} for n in range(start, start + count)]
    boxes = [
        {"id": i["id"], "image_id": i["id"], "category_id": 1, "bbox": [8 + i["id"] % 20, 44, 20, 12], "iscrowd": 0}
        for i in images
    ]
    for n in range(start, start + count):
        for kind, pixels in (("images", picture(n)), ("masks", mask(n % 20))):
            path = root / kind / split / f"{n:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    content = {
        "images": images,
        "annotations": boxes,
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "cone"}],
    }
    (root / (f"boxes_{split}.json" if split else "boxes.json")).write_text(json.dumps(content))
    return root


def test_two_plain_folders_pass_the_checks_at_the_first_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sim = write_set(tmp_path / "My Sim")
    (sim / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    real = write_set(tmp_path / "street", "train", start=100)
    write_set(real, "val", start=200)
    (real / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    assert invoke(["init", str(tmp_path / "mine"), "--source", str(sim), "--target", f"folder:{real}"]) == 0
    pipeline = tmp_path / "mine" / "pipeline.yaml"
    told = yaml.safe_load(pipeline.read_text())
    assert told["name"] == "my-sim2street"
    assert told["datasets"]["source"] == {
        **{"format": "folder", "root": str(sim), "name": "my-sim", "image_folder": "images"},
        **{"mask_folder": "masks", "boxes": "boxes.json"},
    }
    assert told["datasets"]["target"]["image_folder"] == "images/{split}"
    assert told["datasets"]["target"]["boxes"] == "boxes_{split}.json"
    assert [told["datasets"][role]["split"] for role in ("target", "benchmark")] == ["train", "val"]
    written = tmp_path / "mine" / "taxonomy" / "street.yaml"
    map_ = yaml.safe_load(written.read_text())
    values = {"road": [0], "building": [1], "sky": [2], "car": [3]}
    assert map_ == {
        "masks": {"kind": "index", "values": values, "ignore": [4]},
        "boxes": {"car": "car", "cone": None},
    }
    assert "'street furniture' in the list of classes" in written.read_text()
    assert "in 40 masks" in written.read_text()

    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert invoke(["data", "check", str(pipeline)]) == 0, capsys.readouterr()
    assert invoke(["plan", str(pipeline)]) == 0
    assert "retrain detection real+translated(fda) seed 0" in " ".join(capsys.readouterr().out.split())


def test_nothing_says_what_ids_and_colours_mean(tmp_path: Path) -> None:
    sim, real = write_set(tmp_path / "sim"), write_set(tmp_path / "real", start=100)
    for path in (real / "masks").iterdir():
        colors = np.array([[128, 64, 128], [70, 70, 70], [70, 130, 180], [0, 0, 142], [1, 2, 3]], np.uint8)
        Image.fromarray(colors[np.asarray(Image.open(path))]).save(path)
    assert invoke(["init", str(tmp_path / "mine"), "--source", str(sim), "--target", str(real)]) == 0
    guessed = (tmp_path / "mine" / "taxonomy" / "sim.yaml").read_text()
    assert "A guess" in guessed
    assert yaml.safe_load(guessed)["masks"]["values"]["sidewalk"] == [1]
    by_color = yaml.safe_load((tmp_path / "mine" / "taxonomy" / "real.yaml").read_text())["masks"]
    assert by_color["kind"] == "color"
    assert by_color["values"] == {
        **{"road": [[128, 64, 128]], "building": [[70, 70, 70]], "sky": [[70, 130, 180]], "car": [[0, 0, 142]]}
    }
    assert by_color["ignore"] == [[1, 2, 3]]
    datasets = yaml.safe_load((tmp_path / "mine" / "pipeline.yaml").read_text())["datasets"]
    assert datasets["target"]["shares"] == datasets["benchmark"]["shares"]
    assert (datasets["target"]["split"], datasets["benchmark"]["split"]) == ("train", "val")


def test_yolo_labels_and_masks_with_a_suffix(tmp_path: Path) -> None:
    root = write_set(tmp_path / "sim", "train")
    (root / "boxes_train.json").unlink()
    for path in list((root / "masks" / "train").iterdir()):
        path.rename(path.with_name(f"{path.stem}_L.png"))
    labels = root / "labels" / "train"
    labels.mkdir(parents=True)
    (labels / "000.txt").write_text("1 0.5 0.5 0.1 0.1\n")
    (root / "data.yaml").write_text("names: {0: person, 1: car}\n")
    assert invoke(["init", str(tmp_path / "mine"), "--source", str(root), "--target", f"cityscapes:{tmp_path}"]) == 0
    datasets = yaml.safe_load((tmp_path / "mine" / "pipeline.yaml").read_text())["datasets"]
    source = datasets["source"]
    assert (source["mask_suffix"], source["boxes"], source["yolo_names"]) == ("_L", "labels/train", "data.yaml")
    assert (source["image_folder"], source["mask_folder"]) == ("images/train", "masks/train")
    boxes = yaml.safe_load((tmp_path / "mine" / "taxonomy" / "sim.yaml").read_text())["boxes"]
    assert boxes == {"person": "person", "car": "car"}
    assert (tmp_path / "mine" / "taxonomy" / "cityscapes.yaml").is_file()
    assert datasets["benchmark"]["split"] == "val"


def test_formats_of_their_own_need_no_copy_of_the_classes(tmp_path: Path) -> None:
    (tmp_path / "sim" / "SensorData").mkdir(parents=True)
    (tmp_path / "real" / "leftImg8bit").mkdir(parents=True)
    to = tmp_path / "mine"
    assert invoke(["init", str(to), "--source", str(tmp_path / "sim"), "--target", str(tmp_path / "real")]) == 0
    assert [p.name for p in to.iterdir()] == ["pipeline.yaml"]
    datasets = yaml.safe_load((to / "pipeline.yaml").read_text())["datasets"]
    assert (datasets["source"]["format"], datasets["target"]["format"]) == ("morai", "cityscapes")
    assert datasets["taxonomy"] == str(ROOT / "configs" / "taxonomies" / "cityscapes19.yaml")


def test_nothing_is_overwritten_and_errors_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = ["--source", f"morai:{tmp_path}", "--target", f"cityscapes:{tmp_path}"]
    assert invoke(["init", str(tmp_path), *sets]) == 0
    before = (tmp_path / "pipeline.yaml").read_bytes()
    assert invoke(["init", str(tmp_path), *sets]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "pipeline.yaml").read_bytes() == before
    (tmp_path / "empty").mkdir()
    for source, told in (
        ("voc:/data/x", "voc is no format; there is folder, morai"),
        ("folder:/nowhere", "/nowhere: no such folder"),
        (str(tmp_path / "empty"), "no image"),
    ):
        assert invoke(["init", str(tmp_path / "new"), "--source", source, "--target", f"cityscapes:{tmp_path}"]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()

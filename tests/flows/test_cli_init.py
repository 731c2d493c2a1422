"""``sim2real init``: from folders of images to a configuration whose data pass the checks at the first try."""

import json
from pathlib import Path
from typing import Any

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


def drafted(tmp_path: Path, source: Path) -> tuple[dict[str, Any], str]:
    """The pipeline's source, and the text of its map."""
    to = tmp_path / "mine"
    assert invoke(["init", str(to), "--source", str(source), "--target", f"cityscapes:{tmp_path}"]) == 0
    told = yaml.safe_load((to / "pipeline.yaml").read_text())["datasets"]["source"]
    return told, (to / "taxonomy" / f"{source.name}.yaml").read_text()


def test_masks_beside_their_images_are_no_images(tmp_path: Path) -> None:
    root = tmp_path / "sim"
    root.mkdir()
    for n in range(4):
        Image.fromarray(picture(n)).save(root / f"{n:03d}.jpg")
        Image.fromarray(mask(n)).save(root / f"{n:03d}_mask.png")
    source, map_ = drafted(tmp_path, root)
    assert (source["image_folder"], source["mask_folder"], source["mask_suffix"]) == (".", ".", "_mask")
    assert yaml.safe_load(map_)["masks"]["kind"] == "index"
    assert "4 of 4 masks" in map_


def test_images_and_masks_that_differ_by_a_word(tmp_path: Path) -> None:
    root = tmp_path / "sim"
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for n in range(4):
        Image.fromarray(picture(n)).save(root / "images" / f"{n:03d}_image.jpg")
        Image.fromarray(mask(n)).save(root / "masks" / f"{n:03d}_label.png")
        Image.fromarray(mask(n)).save(root / "masks" / f"{n:03d}_inst_label.png")
    source, _ = drafted(tmp_path, root)
    assert (source["image_suffix"], source["mask_suffix"]) == ("_image", "_label")


def test_splits_without_masks_are_left_out_and_test_is_never_trained_on(tmp_path: Path) -> None:
    root = tmp_path / "sim"
    for split in ("train2017", "val2017", "test2017"):
        write_set(root, split, 2)
    for path in (root / "masks" / "test2017").iterdir():
        path.unlink()
    (root / "boxes_test2017.json").unlink()
    source, _ = drafted(tmp_path, root)
    assert (source["split"], source["mask_folder"]) == ("train2017", "masks/{split}")
    assert source["boxes"] == "boxes_{split}.json"
    text = (tmp_path / "mine" / "pipeline.yaml").read_text()
    assert "there is train2017, val2017\n" in text


def test_folders_of_towns_are_no_splits(tmp_path: Path) -> None:
    root = write_set(write_set(tmp_path / "sim", "a", 2), "b", 2, start=2)
    (root / "boxes_a.json").rename(root / "annotations.json")
    (root / "boxes_b.json").unlink()
    (root / "masks" / "a" / "._000.png").write_bytes(b"what a file manager left")
    source, map_ = drafted(tmp_path, root)
    assert (source["image_folder"], source["mask_folder"], source["boxes"]) == ("images", "masks", "annotations.json")
    assert "split" not in source
    assert "4 of 4 masks" in map_


def test_images_in_folders_of_splits_alone(tmp_path: Path) -> None:
    root = write_set(write_set(tmp_path / "sim", "train", 2), "valid", 2)
    for split in ("train", "valid"):
        (root / "images" / split).rename(root / split)
        (root / f"boxes_{split}.json").rename(root / split / "_annotations.coco.json")
    source, _ = drafted(tmp_path, root)
    assert (source["image_folder"], source["mask_folder"]) == ("{split}", "masks/{split}")
    assert (source["boxes"], source["split"]) == ("{split}/_annotations.coco.json", "train")


def test_text_files_of_another_kind_are_no_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = write_set(tmp_path / "sim", count=2)
    (root / "boxes.json").unlink()
    (root / "labels").mkdir()
    (root / "labels" / "000.txt").write_text("Car 0.0 0 1.5 10 10 20 20 1 1 1 1 1 1 1\n")
    source, _ = drafted(tmp_path, root)
    assert source["boxes"] is None
    (root / "labels" / "000.txt").write_text("2 0.5 0.5 0.1 0.1\n")
    for name, content, told in (
        ("data.yaml", b"names: [a", "data.yaml: is not YAML"),
        ("data.yaml", b"- a", "data.yaml: "),
        ("classes.txt", b"\xff", "classes.txt: cannot be read"),
    ):
        (root / name).write_bytes(content)
        assert invoke(["init", str(tmp_path / "b"), "--source", str(root), "--target", f"cityscapes:{tmp_path}"]) == 2
        error = capsys.readouterr().err
        assert told in error
        assert len(error.splitlines()) == 1
        (root / name).unlink()


def test_masks_that_are_no_labels_are_told(tmp_path: Path) -> None:
    root = write_set(tmp_path / "sim", count=1)
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    Image.fromarray(noise).save(root / "masks" / "000.png")
    _, map_ = drafted(tmp_path, root)
    assert "Only the 256 most frequent" in map_
    assert len(yaml.safe_load(map_)["masks"]["ignore"]) == 256

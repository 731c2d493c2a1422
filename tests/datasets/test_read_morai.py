"""Reading MORAI SIM's recordings."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import MoraiDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy
from tests.datasets.writers.morai import START, line, name_of

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
ROAD, SEDAN, TRUCK, BUS, WALKER = (187, 187, 187), (255, 133, 133), (255, 160, 160), (255, 172, 172), (167, 22, 255)
PERSON_BOX, CAR_BOX, TRUCK_BOX, BUS_BOX = range(4)


class Recording:
    """One frame of 60x40, all road, on which objects are painted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stem = root / "SaveFile" / "SensorData" / "CAMERA_1" / "24-05-13-09-44-00-578446"
        self.stem.parent.mkdir(parents=True)
        self.semantic = np.full((40, 60, 3), ROAD, np.uint8)
        self.instance = np.zeros((40, 60, 3), np.uint8)
        self.lines: list[str] = []

    def paint(self, color: tuple[int, int, int], x1: int, y1: int, x2: int, y2: int) -> None:
        self.semantic[y1:y2, x1:x2] = color
        self.instance[y1:y2, x1:x2] = (x1 + 1, y1 + 1, x2)

    def path(self, kind: str) -> Path:
        return self.stem.with_name(self.stem.name + kind)

    def save(self, *, instance: bool = False, suffix: str = ".png") -> None:
        Image.new("RGBA" if suffix == ".png" else "RGB", (60, 40), (9, 9, 9)).save(self.path(f"_Intensity{suffix}"))
        Image.fromarray(self.semantic).save(self.path("_Semantic.png"))
        if instance:
            Image.fromarray(self.instance).save(self.path("_Instance.png"))
        self.path("_Instance.txt").write_text("".join(self.lines))

    def read(self, **changes: Any) -> ReadResult:
        return read_dataset(MoraiDataset(format="morai", root=self.root).model_copy(update=changes), TAXONOMY)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


@pytest.mark.parametrize("instance", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_vehicles_take_the_class_of_their_pixels(recording: Recording, instance: bool, suffix: str) -> None:
    boxes = {SEDAN: (1, 1, 11, 9), TRUCK: (15, 1, 30, 20), BUS: (32, 1, 50, 20), WALKER: (52, 5, 56, 20)}
    for color, box in boxes.items():
        recording.paint(color, *box)
        recording.lines.append(line("Pedestrian" if color == WALKER else "Vehicle", *box))
    recording.lines.append(line("Two_Wheel_Vehicle", 1, 20, 9, 30))
    recording.save(instance=instance, suffix=suffix)
    result = recording.read()
    assert result.rejected == []
    assert result.hidden == 0
    sample = result.table[0]
    assert sample.id == "CAMERA_1__24-05-13-09-44-00-578446"
    assert (sample.width, sample.height) == (60, 40)
    categories = (CAR_BOX, TRUCK_BOX, BUS_BOX, PERSON_BOX)
    assert set(sample.boxes) == {Box(c, *box) for c, box in zip(categories, boxes.values(), strict=True)}


def test_an_object_without_visible_pixels_is_hidden(recording: Recording) -> None:
    recording.paint(SEDAN, 1, 1, 11, 9)
    recording.lines = [line("Vehicle", 1, 1, 11, 9), line("Vehicle", 30, 20, 45, 35), line("Pedestrian", 1, 1, 11, 9)]
    recording.save()
    result = recording.read()
    assert result.table[0].boxes == (Box(CAR_BOX, 1, 1, 11, 9),)
    assert result.hidden == 2
    assert recording.read(min_box_pixels=81).table[0].boxes == ()


def test_instances_tell_a_hidden_car_from_the_bus_before_it(recording: Recording) -> None:
    recording.paint(BUS, 5, 5, 45, 35)
    recording.paint(SEDAN, 46, 20, 56, 30)
    recording.lines = [
        line("Vehicle", 15, 15, 30, 30),  # behind the bus: nothing of it is seen
        line("Vehicle", 5, 5, 45, 35),
        line("Vehicle", 40, 18, 58, 32),  # the sedan, partly before the bus's box
    ]
    recording.save(instance=True)
    result = recording.read()
    assert result.table[0].boxes == (Box(BUS_BOX, 5, 5, 45, 35), Box(CAR_BOX, 40, 18, 58, 32))
    assert result.hidden == 1


def test_two_objects_never_share_an_instance(recording: Recording) -> None:
    recording.paint(SEDAN, 20, 10, 40, 20)
    recording.lines = [line("Vehicle", 15, 5, 45, 25), line("Vehicle", 20, 10, 40, 20)]
    recording.save(instance=True)
    result = recording.read()
    assert result.table[0].boxes == (Box(CAR_BOX, 20, 10, 40, 20),)
    assert result.hidden == 1


def test_linear_colours_and_the_other_palette(recording: Recording) -> None:
    recording.semantic[:] = (127, 127, 127)
    recording.paint((255, 60, 60), 1, 1, 11, 9)
    recording.lines = [line("SurroundVehicle", 1, 1, 11, 9)]
    recording.save()
    assert recording.read().table[0].boxes == (Box(CAR_BOX, 1, 1, 11, 9),)
    recording.semantic[:] = (9, 161, 181)
    recording.paint((0, 243, 64), 1, 1, 11, 9)
    recording.save()
    result = recording.read(palette="morai33")
    assert result.table[0].boxes == (Box(TRUCK_BOX, 1, 1, 11, 9),)
    assert result.table.info.dataset == "morai33"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("Vehicle 0 0 0 1 1 11\n", "line 2: has 7 fields instead of 17: 'Vehicle 0 0 0 1 1 11'"),
        (line("Vehicle", 1, 1, 11, 9).replace("11.00", "eleven"), "line 2: the box is not four numbers"),
        (line("Vehicle", 1, 1, float("nan"), 9), "line 2: the box is not finite"),
        (line("Vehicle", 70, 1, 80, 9), "line 2: box 70 1 80 9 (x1 y1 x2 y2) lies outside its image of 60x40"),
        (line("Vehicle", 11, 1, 1, 9), "line 2: box 11 1 1 9 (x1 y1 x2 y2) has no area"),
        (line("Spaceship", 1, 1, 11, 9), "line 2: type 'Spaceship' is not in the taxonomy's maps.morai"),
    ],
)
def test_a_bad_line_goes_alone(recording: Recording, bad: str, reason: str) -> None:
    recording.paint(SEDAN, 1, 1, 11, 9)
    recording.lines = [line("Vehicle", 1, 1, 11, 9), bad]
    recording.save()
    result = recording.read()
    assert result.table[0].boxes == (Box(CAR_BOX, 1, 1, 11, 9),)
    assert [r.file for r in result.rejected] == [recording.path("_Instance.txt")]
    assert say(result.rejected[0].finding).startswith(reason)


def test_an_empty_text_is_an_image_without_objects(recording: Recording) -> None:
    recording.save()
    result = recording.read()
    assert result.rejected == []
    assert result.table[0].boxes == ()
    assert result.table.info.has_boxes


def test_unknown_colours_are_counted(recording: Recording) -> None:
    recording.paint((1, 2, 3), 0, 0, 3, 2)
    recording.save()
    result = recording.read()
    assert [(r.file, say(r.finding)) for r in result.rejected] == [
        (recording.path("_Semantic.png"), "unknown colours: 1,2,3 (6 pixels)")
    ]


@pytest.mark.parametrize(
    ("missing", "named", "reason"),
    [
        ("_Semantic.png", "_Intensity.png", "image without label: no "),
        ("_Instance.txt", "_Intensity.png", "image without label: no "),
        ("_Intensity.png", "_Instance.txt", "label without image: no "),
    ],
)
def test_a_missing_file(recording: Recording, missing: str, named: str, reason: str) -> None:
    recording.save()
    recording.path(missing).unlink()
    result = recording.read()
    assert len(result.table) == 0
    assert [(r.file, say(r.finding)) for r in result.rejected] == [
        (recording.path(named), f"{reason}{recording.path(missing)}")
    ]


def test_label_images_that_do_not_fit(recording: Recording) -> None:
    recording.save(instance=True)
    Image.new("RGB", (59, 40)).save(recording.path("_Instance.png"))
    sizes = Finding.of("data.other_size", width=59, height=40, image_width=60, image_height=40)
    assert recording.read().rejected[0].finding == sizes
    Image.new("L", (60, 40)).save(recording.path("_Semantic.png"))
    assert recording.read().rejected[0].finding == Finding.of("data.no_colour_label")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere: no such folder; MORAI recordings"):
        read_dataset(MoraiDataset(format="morai", root=tmp_path / "nowhere"), TAXONOMY)
    with pytest.raises(DatasetError, match="split 'train' of morai is empty"):
        read_dataset(MoraiDataset(format="morai", root=tmp_path), TAXONOMY)


class Saves:
    """Plain saves of cameras, 60x40, all road with one car; times in seconds after START."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, camera: str, seconds: float, suffix: str = ".png") -> Path:
        return self.root / "SensorData" / camera / f"{name_of(START + timedelta(seconds=seconds))}{suffix}"

    def images(self, camera: str, *times: float, suffix: str = ".png") -> None:
        for seconds in times:
            path = self.path(camera, seconds, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 40), (9, 9, 9)).save(path)

    def labels(self, camera: str, *times: float) -> None:
        semantic = np.full((40, 60, 3), ROAD, np.uint8)
        semantic[1:9, 1:11] = SEDAN
        self.images(camera, *times)
        for seconds in times:
            Image.fromarray(semantic).save(self.path(camera, seconds))
            self.path(camera, seconds, ".txt").write_text(line("Vehicle", 1, 1, 11, 9))

    def read(self, **changes: Any) -> ReadResult:
        return read_dataset(MoraiDataset(format="morai", root=self.root, **changes), TAXONOMY)


@pytest.fixture
def saves(tmp_path: Path) -> Saves:
    return Saves(tmp_path)


def test_a_label_goes_to_the_nearest_image(saves: Saves) -> None:
    saves.images("CAMERA_1", 0.00, 0.03, 1, suffix=".jpg")
    saves.labels("CAMERA_2", 0.02, 1.05)
    result = saves.read()
    assert [(s.image, s.mask) for s in result.table] == [
        (saves.path("CAMERA_1", 0.03, ".jpg"), saves.path("CAMERA_2", 0.02)),
        (saves.path("CAMERA_1", 1, ".jpg"), saves.path("CAMERA_2", 1.05)),
    ]
    assert all(s.boxes == (Box(CAR_BOX, 1, 1, 11, 9),) for s in result.table)
    assert [(r.file, r.cause, say(r.finding)) for r in result.rejected] == [
        (
            saves.path("CAMERA_1", 0, ".jpg"),
            "paired",
            "image without label: the nearest is 24-05-13-09-44-00-598446, 0.02 s later, which belongs to a nearer one",
        )
    ]


def test_what_is_further_than_the_tolerance_is_listed(saves: Saves) -> None:
    saves.images("CAMERA_1", 0, 1)
    saves.labels("CAMERA_2", 0, 1.0501)
    result = saves.read()
    assert len(result.table) == 1
    image, label = saves.path("CAMERA_1", 1), saves.path("CAMERA_2", 1.0501)
    assert {r.file: (r.cause, say(r.finding)) for r in result.rejected} == {
        image: (
            "paired",
            f"image without label: the nearest is {label.stem}, 0.0501 s later, where tolerance allows 0.05 s",
        ),
        label: (
            "paired",
            f"label without image: the nearest is {image.stem}, 0.0501 s earlier, where tolerance allows 0.05 s",
        ),
    }
    assert len(saves.read(tolerance=0.06).table) == 2


def test_an_incomplete_or_lossy_label(saves: Saves) -> None:
    saves.images("CAMERA_1", 0, 1, 2, 3)
    saves.labels("CAMERA_2", 0, 1, 2, 3)
    saves.path("CAMERA_2", 1, ".txt").unlink()
    saves.path("CAMERA_2", 2).unlink()
    saves.images("CAMERA_2", 3, suffix=".jpg")
    saves.path("CAMERA_2", 3).unlink()
    result = saves.read()
    assert len(result.table) == 1
    assert {r.file: (r.cause, say(r.finding)) for r in result.rejected} == {
        saves.path("CAMERA_1", 1): ("paired", f"image without label: no {saves.path('CAMERA_2', 1, '.txt')}"),
        saves.path("CAMERA_1", 2): ("paired", f"image without label: no {saves.path('CAMERA_2', 2)}"),
        saves.path("CAMERA_2", 3, ".jpg"): ("named", "is a label, but no PNG: other formats change its colours"),
    }


def test_of_several_cameras_the_one_whose_times_match(saves: Saves) -> None:
    saves.images("CAMERA_1", 0, 1, 2)
    saves.images("CAMERA_3", 2, 70, 80)
    saves.labels("CAMERA_2", 0, 1, 2)
    result = saves.read()
    assert [s.image for s in result.table] == [saves.path("CAMERA_1", n) for n in (0, 1, 2)]
    alone = Finding.of("data.morai_images_alone", n=3)
    assert [(r.file, r.cause, r.finding) for r in result.rejected] == [
        (saves.root / "SensorData" / "CAMERA_3", "paired", alone)
    ]


def test_two_cameras_whose_times_match_are_an_error(saves: Saves) -> None:
    for camera in ("CAMERA_1", "CAMERA_3"):
        saves.images(camera, 0, 1, 2)
    saves.labels("CAMERA_2", 0, 1, 2)
    with pytest.raises(DatasetError, match=r"CAMERA_1 match .* CAMERA_2 \(3 frames\), but so do those of CAMERA_3"):
        saves.read()


def test_each_recording_has_its_own_pair(saves: Saves) -> None:
    for root in (saves.root / "monday", saves.root / "tuesday"):
        recording = Saves(root)
        recording.images("CAMERA_1", 0)
        recording.labels("CAMERA_2", 0)
    result = saves.read()
    assert result.rejected == []
    name = name_of(START)
    assert [s.id for s in result.table] == [f"{day}__CAMERA_1__{name}" for day in ("monday", "tuesday")]


def test_a_camera_without_ground_truth(saves: Saves) -> None:
    saves.images("CAMERA_1", 0, 1)
    result = saves.read()
    assert len(result.table) == 0
    assert [r.file for r in result.rejected] == [saves.root / "SensorData" / "CAMERA_1"]
    assert "no camera's folder beside it has ground truth (<time>.png and <time>.txt)" in say(
        result.rejected[0].finding
    )


def test_both_layouts_in_one_root(recording: Recording, saves: Saves) -> None:
    recording.save()
    saves.images("CAMERA_5", 0)
    saves.labels("CAMERA_6", 0)
    (saves.root / "SensorData" / "LIDAR_1").mkdir()
    saves.path("LIDAR_1", 0, ".txt").write_text("0 1 2 3 4 5 6 7 8 9 10\n")

    def cameras(**changes: Any) -> list[str]:
        result = saves.read(**changes)
        assert result.rejected == []
        return [s.extra["camera"] for s in result.table]

    assert cameras() == ["CAMERA_1", "CAMERA_5"]
    assert cameras(layout="capture") == ["CAMERA_1"]
    assert cameras(layout="plain") == ["CAMERA_5"]


def test_a_gap_begins_another_sequence(saves: Saves) -> None:
    times = (0, 10, 20.001, 21)
    saves.images("CAMERA_1", *times)
    saves.labels("CAMERA_2", *times)
    first, second = (f"CAMERA_1__{name_of(START + timedelta(seconds=n))}" for n in (0, 20.001))
    assert [s.sequence for s in saves.read().table] == [first, first, second, second]
    assert [s.sequence for s in saves.read(gap=10.5).table] == [first] * 4
    shares = {"train": 0.5, "val": 0.5}
    splits = [{s.sequence for s in saves.read(split=name, shares=shares).table} for name in shares]
    assert sorted(splits, key=min) == [{first}, {second}]


@pytest.mark.parametrize("name", ["{}-0042", "24-05-13-09-44-00-578", "24-05-13-09-44-00-578-446"])
def test_names_of_other_versions(saves: Saves, name: str) -> None:
    saves.images("CAMERA_1", 0)
    saves.labels("CAMERA_2", 0)
    for path in sorted((saves.root / "SensorData").glob("*/*")):
        path.rename(path.with_name(name.format(path.stem) + path.suffix))
    saves.images("CAMERA_1", 5)
    saves.labels("CAMERA_2", 5)
    result = saves.read()
    assert result.rejected == []
    assert len(result.table) == 2


@pytest.mark.parametrize(
    "odd",
    [
        lambda name: f"front_{name}.png",
        lambda name: f"{name}_Depth.png",
        lambda name: f"{name}_Semantic.jpg",
        lambda name: f"{name}_Instance.jpg",
        lambda name: f"24-13{name[5:]}.png",  # a thirteenth month
        lambda name: f"x{name}_Instance.txt",
    ],
)
def test_a_name_that_is_no_time(recording: Recording, odd: Callable[[str], str]) -> None:
    recording.save()
    path = recording.stem.with_name(odd(recording.stem.name))
    path.write_bytes(recording.path("_Semantic.png").read_bytes())
    result = recording.read()
    assert len(result.table) == 1
    assert [(r.file, r.cause) for r in result.rejected] == [(path, "named")]
    assert "YY-MM-DD-HH-MM-SS-ffffff" in say(result.rejected[0].finding)


def test_two_images_of_one_time(recording: Recording) -> None:
    recording.save()
    recording.save(suffix=".jpg")
    result = recording.read()
    assert len(result.table) == 1
    assert [(r.file, r.cause) for r in result.rejected] == [(recording.path("_Intensity.png"), "unique")]

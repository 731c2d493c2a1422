"""Reading MORAI SIM's capture mode."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.datasets.config import MoraiDataset
from tasks.datasets.items import DatasetError
from tasks.datasets.read import ReadResult, read_dataset
from tasks.datasets.table import Box
from tasks.datasets.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(Path(__file__).parents[2] / "configs" / "taxonomies" / "cityscapes19.yaml")
ROAD, SEDAN, TRUCK, BUS, WALKER = (187, 187, 187), (255, 133, 133), (255, 160, 160), (255, 172, 172), (167, 22, 255)
PERSON_BOX, CAR_BOX, TRUCK_BOX, BUS_BOX = range(4)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    box = f"{x1:.2f} {y1:.2f} {x2:.2f} {y2:.2f}"
    return f"{kind} 0 0 0 {box} 0 0 0 0 0 0 0 166.5732 0.0005948656,-1.360331E-07,1.150531E-05\n"


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
    assert result.rejected[0].reason.startswith(reason)


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
    assert [(r.file, r.reason) for r in result.rejected] == [
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
    assert [(r.file, r.reason) for r in result.rejected] == [
        (recording.path(named), f"{reason}{recording.path(missing)}")
    ]


def test_label_images_that_do_not_fit(recording: Recording) -> None:
    recording.save(instance=True)
    Image.new("RGB", (59, 40)).save(recording.path("_Instance.png"))
    assert "(40, 59)" in recording.read().rejected[0].reason
    Image.new("L", (60, 40)).save(recording.path("_Semantic.png"))
    assert "a colour label image is expected" in recording.read().rejected[0].reason


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere: no such folder; MORAI recordings"):
        read_dataset(MoraiDataset(format="morai", root=tmp_path / "nowhere"), TAXONOMY)
    with pytest.raises(DatasetError, match="split 'train' of morai is empty"):
        read_dataset(MoraiDataset(format="morai", root=tmp_path), TAXONOMY)

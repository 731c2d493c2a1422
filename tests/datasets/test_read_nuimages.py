"""Reading nuImages: what the formats' common tests do not cover."""

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tasks.catalogue.language import say
from tasks.contracts.finding import Finding
from tasks.datasets.config import NuImagesDataset
from tasks.datasets.errors import DatasetError
from tasks.datasets.files import fingerprint
from tasks.datasets.masks import read_mask
from tasks.datasets.read import ReadResult, read_dataset, reader_of
from tasks.datasets.table import Box
from tests.datasets.writers.nuimages import annotation_row, data_row, encoded, fixed_tables, save
from tests.datasets.writers.scene import CLASSES, HEIGHT, TAXONOMY, WIDTH

ROAD, CAR, PERSON, IGNORED = CLASSES.index("road"), CLASSES.index("car"), CLASSES.index("person"), 255


class Set:
    """A split of two images, ``a`` of the front camera and ``b`` of the back one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables = fixed_tables()
        for token, camera in (("a", "CAM_FRONT"), ("b", "CAM_BACK")):
            row = data_row(token, camera, f"sample {token}")
            self.tables["sample_data"].append(row)
            self.tables["sample"].append({"token": f"sample {token}", "log_token": "log 1"})
            self.add("surface_ann", f"surface {token}", token, "flat.driveable_surface", slice(40, 64), slice(0, 96))
            path = root / row["filename"]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (WIDTH, HEIGHT)).save(path)

    def add(self, table: str, token: str, image: str, category: str, rows: slice, columns: slice) -> dict[str, Any]:
        region = np.zeros((HEIGHT, WIDTH), bool)
        region[rows, columns] = True
        box = [columns.start, rows.start, columns.stop, rows.stop] if table == "object_ann" else None
        self.tables[table].append(annotation_row(token, image, category, region, box))
        return self.tables[table][-1]

    def car(self, **changes: Any) -> None:
        """Give image ``a`` a car, wrong in these values."""
        self.add("object_ann", "car", "a", "vehicle.car", slice(30, 50), slice(10, 40)).update(changes)

    def read(self, **changes: Any) -> ReadResult:
        save(self.root, self.tables)
        config = NuImagesDataset(format="nuimages", root=self.root).model_copy(update=changes)
        return read_dataset(config, TAXONOMY, self.root / "table")


@pytest.fixture
def split(tmp_path: Path) -> Set:
    return Set(tmp_path)


def mask_of(result: ReadResult, index: int) -> NDArray[np.uint8]:
    sample, encoding = result.table[index], result.table.info.encoding
    assert sample.mask is not None
    assert encoding is not None
    return read_mask(sample.mask, encoding)


def ids(result: ReadResult) -> list[str]:
    return [sample.id.split("__")[-1] for sample in result.table]


def test_painting_order(split: Set) -> None:
    split.add("object_ann", "object 3", "a", "movable_object.barrier", slice(35, 45), slice(30, 35))
    split.add("object_ann", "object 2", "a", "human.pedestrian.child", slice(30, 50), slice(20, 50))
    split.add("object_ann", "object 1", "a", "vehicle.car", slice(30, 50), slice(10, 40))
    split.add("object_ann", "object 4", "a", "vehicle.car", slice(0, 64), slice(60, 90))["mask"] = None
    split.add("surface_ann", "surface 0", "a", "vehicle.ego", slice(60, 64), slice(0, 96))
    result = split.read()
    expected = np.full((HEIGHT, WIDTH), IGNORED, np.uint8)
    expected[40:60] = ROAD
    expected[30:50, 10:40] = CAR
    expected[30:50, 20:50] = PERSON
    expected[35:45, 30:35] = IGNORED
    np.testing.assert_array_equal(mask_of(result, 1), expected)
    assert (result.rejected, ids(result)) == ([], ["b", "a"])
    assert set(result.table[1].boxes or ()) == {Box(0, 20, 30, 50, 50), Box(1, 10, 30, 40, 50), Box(1, 60, 0, 90, 64)}
    assert result.table[0].boxes == ()


def test_cameras_and_drives(split: Set) -> None:
    result = split.read(cameras=("CAM_FRONT",))
    assert ids(result) == ["a"]
    assert result.table[0].extra == {"camera": "CAM_FRONT", "location": "boston-seaport"}
    assert result.table[0].sequence == "log 1"
    with pytest.raises(DatasetError, match=r"sensor\.json: has no CAM_LEFT; it has CAM_BACK, CAM_FRONT"):
        split.read(cameras=("CAM_FRONT", "CAM_LEFT"))


GOOD = encoded(np.ones((HEIGHT, WIDTH), bool))


@pytest.mark.parametrize(
    ("mask", "cause"),
    [
        (encoded(np.ones((HEIGHT, WIDTH - 1), bool)), "size"),
        ({"size": [HEIGHT, WIDTH]}, "decodable"),
        ({"size": HEIGHT, "counts": GOOD["counts"]}, "decodable"),
        ({"size": [HEIGHT, WIDTH], "counts": "no base64!"}, "decodable"),
        ({"size": [HEIGHT, WIDTH], "counts": GOOD["counts"][:-4]}, "decodable"),
        ({"size": [HEIGHT, WIDTH], "counts": base64.b64encode(b"\xff\x00").decode()}, "decodable"),
        ("a text", "decodable"),
    ],
)
def test_a_mask_that_cannot_be_drawn(split: Set, mask: object, cause: str) -> None:
    split.car(mask=mask)
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file.name, r.cause, r.kind) for r in result.rejected] == [("object_ann.json", cause, "image")]
    assert "object_ann car of n0__CAM_FRONT__a.jpg: its mask" in say(result.rejected[0].finding)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bbox": None}, "is not the four numbers"),
        ({"bbox": [1, 2, 3]}, "is not the four numbers"),
        ({"bbox": [1, 2, float("nan"), 4]}, "is not the four numbers"),
        ({"bbox": [1, 2, 10**400, 4]}, "is not the four numbers"),
        ({"bbox": [9, 2, 9, 4]}, "has no area"),
        ({"bbox": [200, 2, 209, 4]}, "lies outside"),
        ({"category_token": "nobody", "mask": None}, "its category_token is not in category.json"),
        ({"category_token": None, "mask": None}, "its category_token is not in category.json"),
        (
            {"category_token": "of a spaceship", "mask": None},
            r"category 'spaceship' is not in .* maps\.nuimages\.boxes",
        ),
    ],
)
def test_a_malformed_object(split: Set, changes: dict[str, Any], reason: str) -> None:
    split.tables["category"].append({"token": "of a spaceship", "name": "spaceship"})
    split.add("object_ann", "good", "a", "vehicle.car", slice(30, 50), slice(10, 40))
    split.car(**changes)
    result = split.read()
    assert ids(result) == ["b", "a"]
    assert result.table[1].boxes == (Box(1, 10, 30, 40, 50),)
    assert [(r.file.name, r.cause, r.kind) for r in result.rejected] == [("object_ann.json", "boxes", "box")]
    assert re.search(reason, say(result.rejected[0].finding))


@pytest.mark.parametrize("category", ["nobody", "of a spaceship"])
def test_a_mask_of_an_unknown_category(split: Set, category: str) -> None:
    split.tables["category"].append({"token": "of a spaceship", "name": "spaceship"})
    split.car(category_token=category)
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file.name, r.cause) for r in result.rejected] == [("object_ann.json", "classes")]


def test_an_image_of_another_size_than_its_annotations(split: Set) -> None:
    path = split.root / split.tables["sample_data"][0]["filename"]
    Image.new("RGB", (WIDTH // 2, HEIGHT // 2)).save(path)
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file, r.cause) for r in result.rejected] == [(path, "size")]


def test_rows_that_refer_to_nothing(split: Set) -> None:
    split.tables["sample_data"][0]["sample_token"] = "sample x"
    split.car(sample_data_token="x")
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file.name, r.cause) for r in result.rejected] == [
        ("n0__CAM_FRONT__a.jpg", "paired"),
        ("object_ann.json", "paired"),
    ]
    assert "'sample x'" in say(result.rejected[0].finding)
    frame = Finding.of("data.nuimages_no_frame", table="object_ann", token="car", frame="x")
    assert result.rejected[1].finding == frame


TABLES = ["calibrated_sensor", "category", "log", "object_ann", "sample", "sample_data", "sensor", "surface_ann"]


FRAME = '"is_key_frame": true, "fileformat": "jpg"'


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "content", [None, "[{", "{}", '["a"]', "[{}]", f'[{{"token": 1, {FRAME}}}]', f'[{{"token": [], {FRAME}}}]']
)
def test_a_table_that_is_missing_or_wrong(split: Set, table: str, content: str | None) -> None:
    split.car()
    split.read()
    path = split.root / "v1.0-train" / f"{table}.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    config = NuImagesDataset(format="nuimages", root=split.root)
    with pytest.raises(DatasetError, match=str(path)):
        read_dataset(config, TAXONOMY, split.root / "table")


def test_splits_that_cannot_be_used(split: Set) -> None:
    with pytest.raises(DatasetError, match=r"v1\.0-val: no such folder"):
        split.read(split="val")
    split.tables["surface_ann"].clear()
    with pytest.raises(DatasetError, match="has no annotations"):
        split.read()


def test_what_the_split_depends_on(split: Set) -> None:
    save(split.root, split.tables)

    def now(*cameras: str) -> str:
        config = NuImagesDataset(format="nuimages", root=split.root, cameras=cameras or None)
        return fingerprint(reader_of(config, TAXONOMY).places, config.root)

    before, front = now(), now("CAM_FRONT")
    sweep = split.root / "sweeps" / "CAM_FRONT" / "x.jpg"
    sweep.parent.mkdir(parents=True)
    sweep.touch()
    assert (now(), now("CAM_FRONT")) == (before, front)
    (split.root / split.tables["sample_data"][1]["filename"]).write_bytes(b"x")
    assert now() != before
    assert now("CAM_FRONT") == front
    (split.root / "v1.0-train" / "object_ann.json").write_text("[]")
    assert now("CAM_FRONT") != front


@pytest.mark.parametrize("table", TABLES)
def test_rows_that_stand_twice_are_one(split: Set, table: str) -> None:
    split.car()
    rows = split.tables[table]
    split.tables[table] = rows + [dict(row) for row in rows]
    result = split.read()
    assert [len(s.boxes or ()) for s in result.table] == [0, 1]
    assert (result.images, [(r.file.name, r.cause, r.kind) for r in result.rejected]) == (
        2,
        [(f"{table}.json", "unique", "row")],
    )
    assert result.rejected[0].finding.values["n"] == len(rows)


@pytest.mark.parametrize(
    ("table", "token", "change"),
    [
        ("sample_data", "a", {"width": 3}),
        ("sample", "sample a", {"log_token": "log 0"}),
        ("calibrated_sensor", "mount CAM_FRONT", {"sensor_token": "sensor CAM_BACK"}),
        ("sensor", "sensor CAM_FRONT", {"channel": "CAM_LEFT"}),
        ("object_ann", "car", {"bbox": [1, 2, 3, 4]}),
    ],
)
def test_rows_that_contradict_each_other(split: Set, table: str, token: str, change: dict[str, Any]) -> None:
    split.car()
    row = next(row for row in split.tables[table] if row["token"] == token)
    split.tables[table].append(row | change)
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file.name, r.cause) for r in result.rejected] == [("n0__CAM_FRONT__a.jpg", "unique")]
    assert result.rejected[0].finding == Finding.of("data.rows_contradict", key=f"token {token}", n=2)


@pytest.mark.parametrize("name", ["../samples/CAM_FRONT/x.jpg", "/etc/passwd", "", "samples/../.."])
def test_a_name_that_leads_out_of_the_root_goes_alone(split: Set, name: str) -> None:
    split.tables["sample_data"][0]["filename"] = name
    result = split.read()
    assert ids(result) == ["b"]
    assert [(r.file.name, r.finding.values["why"].code) for r in result.rejected] == [  # type: ignore[union-attr]
        ("sample_data.json", "data.name_outside")
    ]


def test_a_name_that_no_file_can_have_is_told(split: Set) -> None:
    split.tables["sample_data"][0]["filename"] = "samples/" + "x" * 300 + ".jpg"
    result = split.read()
    assert ids(result) == ["b"]
    assert [r.finding.code for r in result.rejected] == ["data.label_without_image"]


def test_a_key_frame_in_another_form_is_read(split: Set) -> None:
    row = split.tables["sample_data"][0]
    old = split.root / row["filename"]
    row |= {"filename": row["filename"].replace(".jpg", ".png"), "fileformat": "png"}
    Image.open(old).save(split.root / row["filename"])
    old.unlink()
    assert ids(split.read()) == ["b", "a"]


def test_two_images_of_one_name_keep_their_own_labels(split: Set) -> None:
    split.car()
    for row in split.tables["sample_data"]:
        old = split.root / row["filename"]
        row["filename"] = str(Path(row["filename"]).with_name("one.jpg"))
        old.rename(split.root / row["filename"])
    result = split.read()
    assert [r.finding.code for r in result.rejected] == ["data.same_id"]
    assert result.table[0].extra["camera"] == "CAM_BACK"  # the first by path; the car is in the other
    assert result.table[0].boxes == ()

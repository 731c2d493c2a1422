"""The taxonomies that come with the project, and what is said about a wrong one."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tasks.datasets.masks import IGNORE
from tasks.datasets.taxonomy import MaskMap, Taxonomy, TaxonomyError

TAXONOMIES = Path(__file__).parents[2] / "configs" / "taxonomies"
SMALL: dict[str, Any] = {
    "name": "small",
    "classes": [{"name": "road", "color": [1, 2, 3]}, {"name": "car", "color": [4, 5, 6]}],
    "detection": ["car"],
    "maps": {
        "ids": {
            "masks": {"kind": "index", "values": {"road": [7], "car": [8, 9]}, "ignore": [0]},
            "boxes": {"van": "car"},
        },
        "colors": {
            "masks": {"kind": "color", "values": {"road": [[0, 1, 2]]}},
            "boxes_by_mask": {"Vehicle": {"car": "car"}},
        },
    },
}


def load(tmp_path: Path, **changes: Any) -> Taxonomy:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL | changes))
    return Taxonomy.load(path)


def test_the_first_of_several_channels_is_asked_for_with_ids_alone() -> None:
    ids = MaskMap(kind="index", first_channel=True, values={"road": [7]})
    assert ids.first_channel
    with pytest.raises(ValidationError, match="first_channel is for ids"):
        MaskMap(kind="color", first_channel=True, values={"road": [(1, 2, 3)]})


def test_cityscapes_has_the_train_ids_of_the_benchmark() -> None:
    taxonomy = Taxonomy.load(TAXONOMIES / "cityscapes19.yaml")
    encoding = taxonomy.encoding("cityscapes")
    assert encoding is not None
    valid = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert [encoding.indices[i] for i in valid] == list(range(19))
    assert sorted(encoding.indices) == list(range(34))
    assert {encoding.indices[i] for i in set(range(34)) - set(valid)} == {IGNORE}
    assert taxonomy.classes[13].name == "car"
    assert taxonomy.classes[13].color == (0, 0, 142)


def test_morai_takes_saved_and_linear_colours_alike() -> None:
    taxonomy = Taxonomy.load(TAXONOMIES / "cityscapes19.yaml")
    encoding = taxonomy.encoding("morai")
    assert encoding is not None
    assert encoding.kind == "color"
    for saved, linear in (((187, 187, 187), (127, 127, 127)), ((255, 172, 172), (255, 105, 105))):
        assert encoding.indices[packed(saved)] == encoding.indices[packed(linear)]
    other = taxonomy.encoding("morai33")
    assert other is not None
    assert other.indices[packed((66, 7, 158))] == 15
    white = packed((255, 255, 255))
    assert encoding.indices[white] == 0
    assert other.indices[white] == IGNORE


def test_linear_colours_are_the_saved_ones_without_the_srgb_curve() -> None:
    """Every pair of the file: the manual's linear colour, sRGB-encoded, is the colour as saved (within rounding)."""
    masks = Taxonomy.load(TAXONOMIES / "cityscapes19.yaml").map("morai").masks
    assert masks is not None
    values = {name: {v for n, v in masks.pairs() if n == name} for name, _ in masks.pairs()}
    for name, colors in values.items():
        for color in colors:
            encoded = tuple(srgb(v) for v in color)  # type: ignore[union-attr]
            near = [c for c in colors if all(abs(a - b) <= 1 for a, b in zip(c, encoded, strict=True))]  # type: ignore[arg-type]
            is_saved = any(all(abs(a - srgb(b)) <= 1 for a, b in zip(color, c, strict=True)) for c in colors)  # type: ignore[arg-type]
            assert near or is_saved, f"{name} {color} has no partner"


def srgb(value: int) -> int:
    share = value / 255
    return round(255 * (12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055))


def packed(color: tuple[int, int, int]) -> int:
    return color[0] << 16 | color[1] << 8 | color[2]


def test_camvid_counts_trucks_as_cars_and_ignores_void() -> None:
    taxonomy = Taxonomy.load(TAXONOMIES / "camvid11.yaml")
    assert taxonomy.categories("minisim") == {"car": 0, "truck": 0, "pedestrian": 1, "bicyclist": 2}
    encoding = taxonomy.encoding("camvid")
    assert encoding is not None
    assert encoding.indices == {i: i for i in range(11)} | {11: IGNORE}


def test_boxes_by_mask_are_given_as_positions(tmp_path: Path) -> None:
    taxonomy = load(tmp_path)
    assert taxonomy.categories_by_mask("colors") == {"Vehicle": {1: 0}}
    assert taxonomy.encoding("colors").indices == {0x000102: 0}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detection": []}, "detection"),
        ({"surprise": 1}, "surprise"),
        ({"maps": {"m": {"boxes_by_mask": {"Vehicle": {"car": "car"}}}}}, "maps.m.boxes_by_mask: needs maps.m.masks"),
        ({"detection": ["car", "car"]}, "detection: car stands there twice"),
        ({"classes": [{"name": "a\nb", "color": [1, 2, 3]}]}, r"classes: 'a\nb' is no name"),
        ({"classes": [{"name": "", "color": [1, 2, 3]}]}, "classes: '' is no name"),
        ({"more_detection": ["\x1b[31mred"]}, r"detection: '\x1b[31mred' is no name"),
        ({"detection": ["car "]}, "detection: 'car ' is no name"),
        ({"name": "x\u2028y"}, r"name: 'x\u2028y' is no name"),
        ({"name": "x" * 101}, "is no name"),
        ({"maps": {"m": {"boxes": {"van": "lorry"}}}}, "maps.m.boxes: lorry is no class"),
        (
            {"maps": {"m": {"masks": {"kind": "index", "values": {"tree": [1]}}}}},
            "maps.m.masks.values: tree is no class",
        ),
        (
            {"maps": {"m": {"masks": {"kind": "index", "values": {"road": [1], "car": [1]}}}}},
            "1 stands under car and under road",
        ),
        ({"maps": {"m": {"masks": {"kind": "index", "values": {"road": [[1, 2, 3]]}}}}}, "no value of kind index"),
        (
            {"maps": {"m": {"masks": {"kind": "color", "values": {"road": [[1, 2, 300]]}}}}},
            "maps.m.masks.values.road.0",
        ),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TaxonomyError, match=r"small\.yaml") as caught:
        load(tmp_path, **changes)
    assert message in str(caught.value)


def test_a_file_that_is_missing_or_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"none\.yaml.*cannot be read"):
        Taxonomy.load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(TaxonomyError, match=r"bad\.yaml: is not YAML"):
        Taxonomy.load(tmp_path / "bad.yaml")


def test_a_data_set_without_a_map(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"small has no maps\.kitti; it has colors, ids"):
        load(tmp_path).encoding("kitti")


def test_maps_lie_in_the_folder_beside_the_file(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "extra.yaml").write_text("boxes: {auto: car}\n")
    assert Taxonomy.load(tmp_path / "small.yaml").categories("extra") == {"auto": 0}
    (tmp_path / "small" / "ids.yaml").write_text("boxes: {}\n")
    with pytest.raises(TaxonomyError, match=r"small/ids\.yaml: .*small\.yaml has a map of this name too"):
        Taxonomy.load(tmp_path / "small.yaml")
    (tmp_path / "small" / "ids.yaml").unlink()
    (tmp_path / "small" / "bad.yaml").write_text("a: [")
    with pytest.raises(TaxonomyError, match=r"small/bad\.yaml: is not YAML"):
        Taxonomy.load(tmp_path / "small.yaml")


def test_a_run_chooses_its_detection_classes() -> None:
    path = TAXONOMIES / "cityscapes19.yaml"
    assert Taxonomy.load(path).detection == ("person", "car", "truck", "bus")
    assert Taxonomy.load(path).categories("cityscapes")["rider"] is None
    chosen = Taxonomy.load(path, ("rider", "car"))
    names = chosen.categories("cityscapes")
    assert (names["rider"], names["car"], names["person"]) == (0, 1, None)
    assert chosen.categories_by_mask("morai")["Vehicle"] == {13: 1}
    assert chosen.categories_by_mask("morai")["Pedestrian"] == {}
    assert set(chosen.detection) | set(chosen.more_detection) == {
        *Taxonomy.load(path).detection,
        *Taxonomy.load(path).more_detection,
    }
    with pytest.raises(TaxonomyError, match="horse is no detection class of taxonomy cityscapes19; it has person, car"):
        Taxonomy.load(path, ("car", "horse"))
    with pytest.raises(TaxonomyError, match="names each class once"):
        Taxonomy.load(path, ("car", "car"))


def test_classes_that_a_set_cannot_have() -> None:
    taxonomy = Taxonomy.load(TAXONOMIES / "cityscapes19.yaml")
    assert taxonomy.impossible("cityscapes") == ((), ())
    masks, boxes = taxonomy.impossible("morai")
    assert set(masks) == {"wall", "fence", "pole", "terrain", "rider", "train"}
    assert boxes == ()
    assert taxonomy.impossible("virtual_kitti")[1] == ("person", "bus")


def test_names_become_indices() -> None:
    taxonomy = Taxonomy.load(TAXONOMIES / "cityscapes19.yaml")
    names = taxonomy.indices_by_name("nuimages")
    assert names["flat.driveable_surface"] == 0
    assert names["vehicle.car"] == 13
    assert names["movable_object.trafficcone"] == IGNORE
    encoding = taxonomy.encoding("nuimages")  # what the reader draws holds indices already
    assert encoding is not None
    assert encoding.indices == {i: i for i in (*range(19), IGNORE)}


@pytest.mark.parametrize("path", sorted(TAXONOMIES.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_committed_map_fits_its_taxonomy(path: Path) -> None:
    taxonomy = Taxonomy.load(path)
    assert {p.stem for p in path.with_suffix("").glob("*.yaml")} == set(taxonomy.maps)
    for name in taxonomy.maps:
        taxonomy.encoding(name)
        assert set(taxonomy.impossible(name)[1]) != set(taxonomy.detection) or not taxonomy.map(name).boxes

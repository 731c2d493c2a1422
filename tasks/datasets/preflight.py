"""What can be said of data sets before anything is trained: of the taxonomy and its maps, and of the labels as read."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pyarrow.compute as pc

from tasks.contracts import Finding, Labels
from tasks.datasets.config import Dataset, DatasetsConfig
from tasks.datasets.errors import TaxonomyError
from tasks.datasets.table import SampleTable
from tasks.datasets.taxonomy import Taxonomy
from tasks.settings import Problem, below, packaged, there


def datasets_problems(config: DatasetsConfig, needed: Mapping[str, Collection[Labels]]) -> Iterator[Problem]:
    """The problems of the ``datasets`` section by itself.

    Args:
        config: the section.
        needed: role -> the labels that are going to be used of it.
    """
    if not there(config.taxonomy):
        yield Problem(("taxonomy",), Finding.of("settings.no_file", path=config.taxonomy))
        return
    key = "taxonomy"
    try:
        taxonomy = Taxonomy.load(config.taxonomy)
        key = "detection"
        taxonomy = taxonomy if config.detection is None else taxonomy.narrowed(config.detection)
    except TaxonomyError as error:
        yield Problem((key,), error.whole)
        return
    wanted = {labels for of_role in needed.values() for labels in of_role}
    if "masks" in wanted and len(taxonomy.classes) == 1:
        only = taxonomy.classes[0].name
        yield Problem(("taxonomy",), Finding.of("settings.one_class", taxonomy=config.taxonomy, name=only))
    for role in ("source", "target", "benchmark"):
        dataset: Dataset = getattr(config, role)
        yield from below((role,), _map_problems(dataset, taxonomy, packaged(config.taxonomy), needed.get(role, ())))


def _map_problems(dataset: Dataset, taxonomy: Taxonomy, file: Path, needed: Collection[Labels]) -> Iterator[Problem]:
    """Whether the taxonomy has the data set's map, and whether that gives labels of the kinds that are needed."""
    name, place = dataset.map_name, () if dataset.named_by is None else (dataset.named_by,)
    beside = file.with_suffix("") / f"{name}.yaml"
    if name not in taxonomy.maps:
        nearest = difflib.get_close_matches(name, taxonomy.maps, n=1)
        shown = tuple(nearest or sorted(taxonomy.maps))
        yield Problem(place, Finding.of("settings.no_map", file=beside, taxonomy=taxonomy.name, maps=shown))
        return
    impossible, impossible_boxes = taxonomy.impossible(name)
    if "masks" in needed and len(impossible) == len(taxonomy.classes):
        yield Problem(place, Finding.of("settings.map_without_masks", file=beside))
    if "boxes" in needed and len(impossible_boxes) == len(taxonomy.detection):
        yield Problem(place, Finding.of("settings.map_without_boxes", file=beside, classes=taxonomy.detection))


def label_problems(role: str, table: SampleTable, needed: Collection[Labels]) -> Iterator[Problem]:
    """Labels that hold nothing to learn from or to score: of no class, or crowds alone.

    Args:
        role: which set it is; of the benchmark, crowds do not count, for they are not scored.
        table: the set as read. That it has labels of a kind at all, ``checks`` say.
        needed: the labels that are going to be used.
    """
    name = table.info.dataset
    if "masks" in needed and len(masked := table.labelled("masks")):
        pixels = pc.sum(pc.list_flatten(masked.rows["class_pixels"])).as_py()
        if not pixels:
            yield Problem((), Finding.of("settings.no_pixel", name=name, images=len(masked)))
    if "boxes" in needed and len(boxed := table.labelled("boxes")):
        crowds = pc.struct_field(pc.list_flatten(boxed.rows["boxes"]), "crowd")
        if not len(crowds) or (role == "benchmark" and pc.all(crowds).as_py()):
            yield Problem((), Finding.of("settings.no_box", name=name, images=len(boxed)))

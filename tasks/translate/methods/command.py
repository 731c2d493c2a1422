"""Images that a program makes of the source's while the pipeline runs: it is asked for what is not there yet."""

from __future__ import annotations

from pathlib import Path

from tasks.compute import ahead
from tasks.contracts import Finding
from tasks.datasets import ImageError, Sample, SampleTable, read_image
from tasks.translate.apply import IMAGES
from tasks.translate.errors import OutsideError
from tasks.translate.job import SCRATCH
from tasks.translate.methods.base import Resources
from tasks.translate.outside.inputs import write_inputs
from tasks.translate.outside.matching import Matched, images_below, matched
from tasks.translate.outside.program import run, shown
from tasks.translate.outside.readymade import Readymade, whole
from tasks.translate.pixels import is_whole_png
from tasks.translate.sections.command import OutsideCommand


def load(config: OutsideCommand, resources: Resources) -> Readymade:
    """Have every image made that is not there yet, and find each one's file.

    Raises:
        OutsideError: the program fails, takes too long, or leaves an image out.
        DatasetError: an image of the source cannot be given to it.
    """
    if resources.source is None or resources.work is None:
        raise ValueError("a program needs images to translate, and a folder to work in")
    found = [_made(config, resources.source, resources.work, k) for k in range(config.variants)]
    return Readymade(whole(found), len(found), config.resize)


def _made(config: OutsideCommand, source: SampleTable, work: Path, variant: int) -> Matched:
    """The files of one variant."""
    folder = work / SCRATCH / str(variant)
    output = folder / "output"
    results = output / config.results
    results.mkdir(parents=True, exist_ok=True)
    ending = f"__v{variant}" if config.variants > 1 else ""
    places = ((n, s, work / IMAGES / f"{s.id}{ending}.png") for n, s in enumerate(source))
    wanted = source.take(n for n, s, place in places if not is_whole_png(place, s.width, s.height))
    asked = _without(wanted, _kept(config, wanted, results))
    if not len(asked):
        return matched(wanted, results, images_below(results), config.image_suffix)
    values = {"output": str(output), "seed": str(config.seed + variant), "variant": str(variant)}
    arguments = config.arguments({**values, **write_inputs(asked, folder / "input", config.depth)})
    printed = run(config, arguments)
    found = matched(wanted, results, images_below(results), config.image_suffix)
    if (problem := found.problem()) is not None:
        values = {"command": shown(arguments)}
        raise OutsideError(Finding.of("outside.not_all", **values, problem=problem, last=printed.told()))
    return found


def _without(table: SampleTable, made: set[str]) -> SampleTable:
    return table.take(n for n, id_ in enumerate(table.rows["id"].to_pylist()) if id_ not in made)


def _kept(config: OutsideCommand, table: SampleTable, results: Path) -> set[str]:
    """Ids whose images an earlier run made whole. All other images that it left are deleted."""
    files = images_below(results)
    found = matched(table, results, files, config.image_suffix)
    samples = [s for s in table if s.id in found.files] if not found.unclear else []
    good = ahead(lambda s: _is_whole(found.files[s.id], s, config.resize), samples)
    kept = {s.id for s, is_good in zip(samples, good, strict=True) if is_good}
    for path in set(files) - {found.files[id_] for id_ in kept}:
        path.unlink()
    return kept


def _is_whole(path: Path, sample: Sample, resize: bool) -> bool:
    try:
        height, width, _ = read_image(path).shape
    except ImageError:
        return False
    return resize or (width, height) == (sample.width, sample.height)

"""What each arm predicts on the benchmark, beside the ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks.catalogue import t
from tasks.contracts import Finding, Result, Task
from tasks.report.gallery.grid import DrawnBox, Grid, GridRow, LegendEntry, Picture
from tasks.report.gallery.samples import photograph
from tasks.report.gallery.sets import Images, Sets, spread
from tasks.report.reading import Reader
from tasks.report.words import arm_label, count

_BOX_COLORS = (
    (230, 57, 70),
    (29, 128, 226),
    (255, 183, 3),
    (42, 157, 92),
    (155, 93, 229),
    (0, 180, 190),
    (244, 120, 32),
)


def prediction_samples(sets: Sets) -> Iterator[Grid]:
    """Benchmark images with their ground truth and the predictions of every arm (its first seed)."""
    first: dict[tuple[Task, str], Result] = {}
    for result in sets.record.results:
        first.setdefault((result.task, result.arm), result)
    if sets.benchmark is None or not sets.config.prediction_rows:
        return
    if segmentation := [r for r in first.values() if r.task == "segmentation"]:
        yield _segmentation_grid(sets, sets.benchmark, segmentation)
    if detection := [r for r in first.values() if r.task == "detection"]:
        yield _detection_grid(sets, sets.benchmark, detection)


def _segmentation_grid(sets: Sets, images: Images, results: Sequence[Result]) -> Grid:
    chosen = spread(images.ids, sets.config.prediction_rows)
    return Grid(
        kind="predictions",
        title=t("pictures.segmentation_title"),
        note=f"{_seed_note(results)} {t('pictures.black')}",
        columns=(t("pictures.column_image"), t("pictures.column_truth"), *(arm_label(r.arm) for r in results)),
        rows=tuple(GridRow(id=i, pictures=tuple(_segmented(images, i, results))) for i in chosen),
        legend=class_legend(images),
    )


def _segmented(images: Images, sample_id: str, results: Iterable[Result]) -> Iterator[Picture]:
    """An image, its ground truth and what each model predicts."""
    sample = images.get(sample_id)
    size = (sample.width, sample.height) if sample is not None else None
    yield photograph(sample_id, sample)
    if sample is not None and sample.mask is not None and images.info.encoding is not None:
        yield Picture(caption=sample_id, label=sample.mask, encoding=images.info.encoding, size=size)
    else:
        yield Picture(caption=sample_id, missing=t("pictures.no_label"))
    for result in results:
        yield Picture(caption=sample_id, label=result.evaluation.file(f"predictions/{sample_id}.png"), size=size)


def class_legend(images: Images) -> tuple[LegendEntry, ...]:
    """The segmentation classes in their colours."""
    return tuple(LegendEntry(name=c.name, color=c.color) for c in images.info.classes)


def _detection_grid(sets: Sets, images: Images, results: Sequence[Result]) -> Grid:
    truth = _CocoBoxes(results[0].evaluation.file("ground_truth.json"), sets.reader)
    predicted = [_predictions(r, truth, sets.reader, sets.config.min_score) for r in results]
    known = [i for i in truth.image_ids if images.get(i) is not None]
    with_objects = [i for i in known if truth.boxes.get(i)]
    chosen = spread(with_objects or known, sets.config.prediction_rows)
    return Grid(
        kind="predictions",
        title=t("pictures.detection_title"),
        note=f"{_seed_note(results)} {t('pictures.min_score', score=f'{sets.config.min_score:g}')}",
        columns=(t("pictures.column_truth"), *(arm_label(r.arm) for r in results)),
        rows=tuple(GridRow(id=i, pictures=tuple(_boxed(images, i, (truth.boxes, *predicted)))) for i in chosen),
        legend=tuple(
            LegendEntry(name=name, color=_BOX_COLORS[i % len(_BOX_COLORS)]) for i, name in enumerate(truth.categories)
        ),
    )


def _boxed(images: Images, sample_id: str, boxes: Iterable[dict[str, list[DrawnBox]] | None]) -> Iterator[Picture]:
    """The ground truth, named as the image, and each arm's boxes, told in number: none are easily overlooked."""
    for place, found in enumerate(boxes):
        if found is None:
            yield Picture(caption=sample_id, missing=t("pictures.predictions_unread"))
            continue
        drawn = tuple(found.get(sample_id, ()))
        caption = count(len(drawn), "box") if place else sample_id
        yield photograph(caption, images.get(sample_id)).model_copy(update={"boxes": drawn})


def _seed_note(results: Iterable[Result]) -> str:
    seeds = sorted({r.seed for r in results})
    if len(seeds) == 1:
        return t("pictures.predictions_seed", seed=seeds[0])
    return t("pictures.predictions_first_seeds")


class _CocoBoxes:
    """The ground truth of an evaluation in COCO form: names of images and categories, and boxes by image name."""

    def __init__(self, path: Path, reader: Reader) -> None:
        content = reader.json(path) or {}
        try:
            self.names: dict[Any, str] = {i["id"]: str(i["file_name"]) for i in content.get("images", ())}
            self.index = {c["id"]: k for k, c in enumerate(content.get("categories", ()))}
            self.categories = [str(c["name"]) for c in content.get("categories", ())]
            self.boxes = self.by_image(content.get("annotations", ()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reader.skip(path, Finding.of("pictures.no_truth", error=type(error).__name__))
            self.names, self.index, self.categories, self.boxes = {}, {}, [], {}
        self.image_ids = list(self.names.values())

    def by_image(self, entries: Iterable[dict[str, Any]]) -> dict[str, list[DrawnBox]]:
        found: dict[str, list[DrawnBox]] = {}
        for entry in entries:
            x, y, w, h = entry["bbox"]
            box = DrawnBox(category=self.index[entry["category_id"]], x1=x, y1=y, x2=x + w, y2=y + h)
            found.setdefault(self.names[entry["image_id"]], []).append(box)
        return found


def _predictions(
    result: Result, truth: _CocoBoxes, reader: Reader, min_score: float
) -> dict[str, list[DrawnBox]] | None:
    path = result.evaluation.file("predictions.json")
    entries = reader.json(path)
    if entries is None:
        return None
    try:
        return truth.by_image(e for e in entries if e["score"] >= min_score)
    except (KeyError, TypeError, ValueError) as error:
        reader.skip(path, Finding.of("pictures.no_results", error=type(error).__name__))
        return None

"""Which pictures the report shows: images before and after translation, and what each arm predicts on the benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from tasks.datasets.table import Sample, SampleTable
from tasks.report.config import ReportConfig
from tasks.report.gallery.grid import DrawnBox, Grid, GridRow, LegendEntry, Picture
from tasks.report.reading import Reader
from tasks.report.record import Result, RunRecord, Task
from tasks.report.words import arm_label

_STRIP = 4  # pictures in a row of a plain strip
_BOX_COLORS = (
    (230, 57, 70),
    (29, 128, 226),
    (255, 183, 3),
    (42, 157, 92),
    (155, 93, 229),
    (0, 180, 190),
    (244, 120, 32),
)


def spread(items: Sequence[str], number: int) -> list[str]:
    """``number`` of the items, evenly spaced; all where there are fewer."""
    if len(items) <= number:
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]


def translation_samples(record: RunRecord, config: ReportConfig, reader: Reader) -> list[Grid]:
    """The same images before and after each translator, and real ones to compare with."""
    source, target = reader.table(record.source), reader.table(record.target)
    tables = {name: t for name, a in record.translated.items() if (t := reader.table(a)) is not None}
    grids = []
    if source is not None and config.sample_rows:
        everywhere = set(_ids(source)).intersection(*map(_ids, tables.values()))
        wanted = [i for i in _ids(source) if i in everywhere]
        columns = [source, *tables.values()]
        rows = [_translation_row(sample_id, columns) for sample_id in spread(wanted, config.sample_rows)]
        headings = ("Simulator", *(arm_label(f"translated({name})") for name in tables))
        note = "The same simulator images, untouched and through each translator; chosen evenly over the data set."
        grids.append(Grid(kind="translation", title="Before and after", note=note, columns=headings, rows=tuple(rows)))
    if target is not None and config.sample_rows:
        chosen = [_sample(target, i) for i in spread(_ids(target), config.sample_rows)]
        pictures = [Picture(caption=s.id, image=s.image) for s in chosen]
        rows = [
            GridRow(id=f"target {i // _STRIP + 1}", pictures=tuple(pictures[i : i + _STRIP]))
            for i in range(0, len(pictures), _STRIP)
        ]
        note = f"Training images of {target.info.dataset}: the look that the translators aim at."
        grids.append(Grid(kind="real", title="Real images", note=note, columns=(), rows=tuple(rows)))
    return grids


def _translation_row(sample_id: str, tables: Sequence[SampleTable]) -> GridRow:
    pictures = [Picture(caption=sample_id, image=_sample(t, sample_id).image) for t in tables]
    return GridRow(id=sample_id, pictures=tuple(pictures))


def prediction_samples(record: RunRecord, config: ReportConfig, reader: Reader) -> list[Grid]:
    """Benchmark images with their ground truth and the predictions of every arm (its first seed)."""
    first: dict[tuple[Task, str], Result] = {}
    for result in record.results:
        first.setdefault((result.task, result.arm), result)
    table = reader.table(record.benchmark)
    if table is None or not config.prediction_rows:
        return []
    segmentation = [r for r in first.values() if r.task == "segmentation"]
    detection = [r for r in first.values() if r.task == "detection"]
    grids = [_segmentation_grid(table, segmentation, config)] if segmentation else []
    return grids + ([_detection_grid(table, detection, config, reader)] if detection else [])


def _segmentation_grid(table: SampleTable, results: Sequence[Result], config: ReportConfig) -> Grid:
    rows = []
    for sample_id in spread(_ids(table), config.prediction_rows):
        sample = _sample(table, sample_id)
        truth = Picture(caption=sample_id, label=sample.mask, encoding=table.info.encoding)
        if sample.mask is None:
            truth = Picture(caption=sample_id, missing="the benchmark has no label for it")
        predicted = [
            Picture(caption=sample_id, label=r.evaluation.file(f"predictions/{sample_id}.png")) for r in results
        ]
        rows.append(GridRow(id=sample_id, pictures=(Picture(caption=sample_id, image=sample.image), truth, *predicted)))
    return Grid(
        kind="predictions",
        title="Segmentation on the benchmark",
        note=f"{_seed_note(results)} Black: not labelled.",
        columns=("Image", "Ground truth", *(arm_label(r.arm) for r in results)),
        rows=tuple(rows),
        legend=tuple(LegendEntry(name=c.name, color=c.color) for c in table.info.classes),
    )


def _detection_grid(table: SampleTable, results: Sequence[Result], config: ReportConfig, reader: Reader) -> Grid:
    truth = _CocoBoxes(results[0].evaluation.file("ground_truth.json"), reader)
    predicted = [_predictions(r, truth, reader, config.min_score) for r in results]
    known = set(_ids(table))
    with_objects = [i for i in truth.image_ids if i in known and truth.boxes.get(i)]
    rows = []
    for sample_id in spread(with_objects or [i for i in truth.image_ids if i in known], config.prediction_rows):
        sample = _sample(table, sample_id)
        truth_picture = Picture(caption=sample_id, image=sample.image, boxes=tuple(truth.boxes.get(sample_id, ())))
        arms = [
            Picture(caption=sample_id, missing="its predictions could not be read")
            if boxes is None
            else Picture(caption=sample_id, image=sample.image, boxes=tuple(boxes.get(sample_id, ())))
            for boxes in predicted
        ]
        rows.append(GridRow(id=sample_id, pictures=(truth_picture, *arms)))
    return Grid(
        kind="predictions",
        title="Detection on the benchmark",
        note=f"{_seed_note(results)} Predictions scored {config.min_score:g} or higher.",
        columns=("Ground truth", *(arm_label(r.arm) for r in results)),
        rows=tuple(rows),
        legend=tuple(
            LegendEntry(name=name, color=_BOX_COLORS[i % len(_BOX_COLORS)]) for i, name in enumerate(truth.categories)
        ),
    )


def _seed_note(results: Iterable[Result]) -> str:
    seeds = sorted({r.seed for r in results})
    which = f"seed {seeds[0]}" if len(seeds) == 1 else "the first seed of each arm"
    return f"Images chosen evenly over the benchmark; predictions of {which}."


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
            reader.skip(path, f"not COCO ground truth ({type(error).__name__}: {error})")
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
        reader.skip(path, f"not COCO results ({type(error).__name__}: {error})")
        return None


def _ids(table: SampleTable) -> list[str]:
    return [str(i) for i in table.rows.column("id").to_pylist()]


def _sample(table: SampleTable, sample_id: str) -> Sample:
    return table[pc.index(table.rows.column("id"), sample_id).as_py()]

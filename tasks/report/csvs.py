"""The report's tables as CSV, for spreadsheets and pandas: UTF-8, a header of English names, numbers as in JSON.

A text that a spreadsheet would take for a formula (it begins with ``= + - @``, their full-width forms, a tab or a
carriage return) gets an apostrophe in front, which spreadsheets hide and other readers have to take off. Numbers are
never touched. What is not known is an empty cell; yes and no are ``true`` and ``false``.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tasks.audit import check_sentence
from tasks.catalogue import say, speaking
from tasks.contracts import Audit, AuditCheck, BoxCounts, Check, ImageCounts
from tasks.report.model import DatasetRow, Report
from tasks.report.score_table import TaskTable

log = logging.getLogger(__name__)
Line = dict[str, Any]

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def tables(report: Report) -> dict[str, list[Line]]:
    """Every table of the report that has rows: name -> rows, each with the same columns; texts in its language."""
    with speaking(report.language):
        return _tables(report)


def _tables(report: Report) -> dict[str, list[Line]]:
    found: dict[str, Iterable[Line]] = {
        "verdicts": map(_flat, report.verdicts),
        "glance": _glance(report),
        "gates": map(_flat, report.gates),
        "broken": map(_flat, report.broken),
        "failures": map(_flat, report.failures),
        "datasets": map(_dataset, report.datasets),
        "boxes": _boxes(report),
        "rejected": _rejected(report),
        "checks": map(_data_check, report.checks),
        "translators": map(_flat, report.translators),
        "costs": ({"stage": str(c.stage), **_flat(c)} for c in report.costs),
        **_of_tasks(report.tables),
        **_of_audits(report),
        **_provenance(report),
    }
    return {name: rows for name, made in found.items() if (rows := list(made))}


def save_csvs(report: Report, folder: Path) -> list[str]:
    """Write every table as ``<name>.csv``; one that cannot be written is left out, which the log says.

    Returns:
        The names of the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, rows in tables(report).items():
        try:
            (folder / f"{name}.csv").write_bytes(encode(rows))
            written.append(f"{name}.csv")
        except OSError as error:
            log.warning("table %s could not be written: %s", name, error)
    return written


def encode(rows: list[Line]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8)."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else json.dumps(value)


def _flat(model: BaseModel, prefix: str = "") -> Line:
    """A model's single values; those of a model in it after its name, as ``rate_low``. What is many is left out."""
    return _flattened(model.model_dump(mode="json"), prefix)


def _flattened(content: Mapping[str, Any], prefix: str = "") -> Line:
    row: Line = {}
    for name, value in content.items():
        if isinstance(value, dict) and {"low", "high", "value"} <= value.keys():
            row |= _flattened(value, f"{prefix}{name}_")
        elif not isinstance(value, dict | list):
            row[f"{prefix}{name}"] = value
    return row


def _dataset(row: DatasetRow) -> Line:
    """A data set, with what became of its images and boxes, as ``images_found``."""
    images, boxes = (row.counts.images, row.counts.boxes) if row.counts is not None else (None, None)
    told = {f"images_{name}": getattr(images, name, None) for name in ImageCounts.model_fields}
    return _flat(row) | told | {f"boxes_{name}": getattr(boxes, name, None) for name in BoxCounts.model_fields}


def _glance(report: Report) -> Iterable[Line]:
    for row in report.glance.rows if report.glance else ():
        yield from ({"name": row.name, "kind": row.kind, **_flat(cell)} for cell in row.cells)


def _of_tasks(found: Iterable[TaskTable]) -> dict[str, Iterable[Line]]:
    known = list(found)
    made: dict[str, Iterable[Line]] = {}
    for table in known:
        made[f"scores_{table.task}"] = list(_scores(table))
        made[f"seeds_{table.task}"] = list(_seeds(table))
        made[f"slices_{table.task}"] = list(_slices(table))
        made[f"efficiency_{table.task}"] = list(_efficiency(table))
        made[f"savings_{table.task}"] = [_flat(s) for s in (table.efficiency.savings if table.efficiency else ())]
    made["arms"] = [{"task": t.task, **_flat(row)} for t in known for row in t.rows]
    made["mixtures"] = [
        {"task": t.task, "arm": row.arm, "part": part, "images": images, "share": row.drawn.get(part)}
        for t in known
        for row in t.rows
        for part, images in row.images.items()
    ]
    made["protocol"] = [{"task": t.task, **_flat(fact)} for t in known for fact in t.protocol]
    made["curves"] = [
        {"task": t.task, "arm": c.arm, "seed": c.seed, "iteration": x, "loss": y}
        for t in known
        for c in t.curves
        for x, y in c.points
    ]
    return made


def _efficiency(table: TaskTable) -> Iterable[Line]:
    for curve in table.efficiency.curves if table.efficiency else ():
        yield from ({"curve": curve.arm, **_flat(point)} for point in curve.points)


def _scores(table: TaskTable) -> Iterable[Line]:
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            of = {"arm": row.arm, "column": column.name, "is_class": column.is_class}
            yield {**of, **_flat(cell), "seeds": len(cell.seeds), "boxes": column.boxes}


def _seeds(table: TaskTable) -> Iterable[Line]:
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            of = {"arm": row.arm, "column": column.name, "is_class": column.is_class}
            yield from ({**of, "seed": seed, "score": score} for seed, score in cell.seeds.items())


def _slices(table: TaskTable) -> Iterable[Line]:
    for part in table.slices:
        for row, cell in zip(table.rows, part.cells, strict=True):
            of = {"kind": part.kind, "key": part.key, "name": part.name, "images": part.images, "boxes": part.boxes}
            values = _flat(cell)
            yield {**of, "arm": row.arm, **{k: v for k, v in values.items() if k != "best"}}


def _boxes(report: Report) -> Iterable[Line]:
    for d in report.datasets:
        yield from ({"role": d.role, "dataset": d.dataset, "name": n, "boxes": b} for n, b in d.boxes.items())


def _rejected(report: Report) -> Iterable[Line]:
    for d in report.datasets:
        for r in d.first_rejected:
            yield {
                "role": d.role,
                "dataset": d.dataset,
                "file": r.file,
                "code": r.finding.code,
                "reason": say(r.finding),
            }


def _data_check(check: Check) -> Line:
    told = {"code": check.finding.code, "message": say(check.finding), "listed": "; ".join(map(say, check.listed))}
    return {"name": check.name, "role": " / ".join(check.roles), **_flat(check), **told}


def _of_audits(report: Report) -> dict[str, Iterable[Line]]:
    """The tables of all audits, each row with its translator first."""
    made: dict[str, list[Line]] = {}
    for part in report.audits:
        for name, rows in _audit(part.audit).items():
            made.setdefault(f"audit_{name}", []).extend({"translator": part.name, **row} for row in rows)
    return dict(made)


def _audit(audit: Audit) -> dict[str, Iterable[Line]]:
    flips, gap = audit.flips, audit.gap
    classes = flips.classes if flips else ()
    return {
        "checks": map(_audit_check, audit.checks),
        "judge": [_flat(flips)] if flips else [],
        "flips": map(_flat, classes),
        "destinations": ({"name": c.name, "to": to, "share": share} for c in classes for to, share in c.to.items()),
        "detail": map(_flat, audit.detail),
        "recall": map(_flat, audit.recall),
        "distances": ({**_flat(d), "source_images": d.images[0], "real_images": d.images[1]} for d in audit.distances),
        "gap": [_flat(gap)] if gap else [],
        "gap_classes": map(_flat, gap.classes) if gap else (),
        "acted": map(_flat, audit.acted),
        "map": map(_flat, audit.map.points) if audit.map else (),
    }


def _audit_check(check: AuditCheck) -> Line:
    """A check with its subject's fields and what it says, in the language of the report."""
    whole = check.model_dump(mode="json", exclude={"advice"})
    told = {"sentence": check_sentence(check), "listed": "; ".join(check.listed)}
    return {"measure": check.measure, **_flat(check.subject), **_flattened(whole), **told}


def _provenance(report: Report) -> dict[str, Iterable[Line]]:
    graph = report.provenance
    return {
        "provenance_scores": map(_flat, graph.scores),
        "provenance_artifacts": ({"reference": name, **_flat(node)} for name, node in graph.nodes.items()),
        "provenance_inputs": (
            {"reference": name, "role": role, "input": made_from}
            for name, node in graph.nodes.items()
            for role, made_from in node.inputs.items()
        ),
    }

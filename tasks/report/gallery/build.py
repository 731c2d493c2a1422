"""All pictures of a report."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from tasks.catalogue import t
from tasks.contracts import RunRecord
from tasks.report.config import ReportConfig
from tasks.report.gallery.clip import clips
from tasks.report.gallery.flips import worst_flips
from tasks.report.gallery.grid import Grid
from tasks.report.gallery.lost import lost_details
from tasks.report.gallery.nearest import nearest_real
from tasks.report.gallery.predictions import prediction_samples
from tasks.report.gallery.priors import side_by_side
from tasks.report.gallery.samples import real_samples, translation_samples
from tasks.report.gallery.sets import Sets
from tasks.report.gallery.strip import scene_strip
from tasks.report.model import AuditPart
from tasks.report.reading import Reader

log = logging.getLogger(__name__)


def galleries(record: RunRecord, audits: Sequence[AuditPart], config: ReportConfig, reader: Reader) -> list[Grid]:
    """Choose and draw the pictures; one that cannot be read is a placeholder that says so.

    Args:
        record: the run. audits: its audits, as read.
        config: how many of each.
        reader: of the files.
    """
    sets = Sets.read(record, config, reader)
    makers: dict[str, Callable[[], Iterable[Grid]]] = {
        "strip": lambda: scene_strip(sets),
        "datasets": lambda: side_by_side(sets),
        "translation": lambda: translation_samples(sets),
        "real": lambda: real_samples(sets),
        "nearest": lambda: nearest_real(sets),
        "flips": lambda: worst_flips(sets, audits),
        "lost": lambda: lost_details(sets, audits),
        "clip": lambda: clips(sets),
        "predictions": lambda: prediction_samples(sets),
    }
    return [grid for kind, make in makers.items() for grid in _made(kind, make, reader)]


def _made(kind: str, make: Callable[[], Iterable[Grid]], reader: Reader) -> list[Grid]:
    """The grids of a kind. Whatever a file holds that nobody thought of costs these pictures, not the report."""
    try:
        return list(make())
    except Exception as error:
        log.exception("the report's pictures of the kind %r could not be made", kind)
        reason = type(error).__name__  # its message may name places of one machine; the log has it
        reader.problems.append(t("pictures.unmade", kind=t(f"pictures.kind_{kind}"), reason=reason))
        return []

"""All pictures of a report."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.report.config import ReportConfig
from tasks.report.gallery.grid import Grid
from tasks.report.gallery.samples import prediction_samples, translation_samples
from tasks.report.model import AuditPart
from tasks.report.reading import Reader
from tasks.report.record import RunRecord


def galleries(record: RunRecord, audits: Sequence[AuditPart], config: ReportConfig, reader: Reader) -> list[Grid]:
    """Choose and draw the pictures; one that cannot be read is a placeholder that says so.

    Args:
        record: the run. audits: its audits, as read.
        config: how many of each.
        reader: of the files.
    """
    return [*translation_samples(record, config, reader), *prediction_samples(record, config, reader)]

"""One run's report: its tables, figures and pictures as HTML, Markdown, JSON and CSV, in two languages."""

from typing import TYPE_CHECKING

from tasks import face

if TYPE_CHECKING:
    from tasks.report.clusters import worth
    from tasks.report.config import ReportConfig
    from tasks.report.fitting import escape
    from tasks.report.html import TEMPLATES
    from tasks.report.intervals import scaled
    from tasks.report.lineage import Node, Provenance, ScoreRef
    from tasks.report.make_report import build_report_files, report_recipe
    from tasks.report.model import READABLE, REPORT_JSON, DatasetRow, Report, TranslatorRow
    from tasks.report.score_table import Cell, Column, Row, TaskTable
    from tasks.report.terminal import print_report
    from tasks.report.words import (
        MARKS,
        arm_label,
        change,
        interval,
        legend,
        signed,
        task_label,
    )
else:
    __all__, __getattr__ = face(__name__, __file__)

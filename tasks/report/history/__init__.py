"""The history of a pipeline: its reports kept, and a page with the trend of every score."""

from tasks.report.history.archive import archive
from tasks.report.history.page import HISTORY, write_history

__all__ = ["HISTORY", "archive", "write_history"]

"""Two runs compared: what changed in configuration, data and code, and what that did to the scores."""

from tasks.report.compare.build import compare
from tasks.report.compare.find import NotAReport

__all__ = ["NotAReport", "compare"]

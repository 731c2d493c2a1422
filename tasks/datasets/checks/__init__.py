"""The checks of data sets before anything is trained on them: seconds tell what hours of training would only show."""

from tasks.datasets.checks.model import CheckedSet
from tasks.datasets.checks.run import run_checks

__all__ = ["CheckedSet", "run_checks"]

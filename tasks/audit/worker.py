"""``python -m tasks.audit.worker JOB.json``: audit one translated set, in a process of its own."""

from __future__ import annotations

from tasks.compute import die_with_parent, do_job

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import logging
import sys
from pathlib import Path

from tasks.audit.extract import FeatureError
from tasks.audit.job import AuditJob
from tasks.audit.make_audit import audit_set
from tasks.datasets import ImageError


def work(path: Path) -> None:
    """Run the job of a file; raises as ``audit_set`` does."""
    audit_set(AuditJob.model_validate_json(path.read_text()))


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    sys.exit(do_job(Path(sys.argv[1]), work, ImageError, FeatureError))

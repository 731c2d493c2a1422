"""``python -m tasks.translate.worker JOB.json``: train one translator, in a process of its own."""

from __future__ import annotations

from tasks.process import EXPLAINED, die_with_parent

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import logging
import sys
from pathlib import Path

from tasks.datasets.table import SampleTable
from tasks.translate.job import TrainJob
from tasks.translate.losslog import TrainingError
from tasks.translate.training import Trainer


def main(path: Path) -> int:
    """Run the job of a file; a training that cannot go on ends with status 2 and one line."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    job = TrainJob.model_validate_json(path.read_text())
    try:
        source, target = SampleTable.read(job.source), SampleTable.read(job.target)
        Trainer(job.translator, source, target, job.work).run(job.inputs)  # type: ignore[arg-type]
    except TrainingError as error:
        print(f"{EXPLAINED}{error}", flush=True)
        return 2
    path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

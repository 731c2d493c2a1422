"""``python -m tasks.translate.training.worker JOB.json``: train one translator, in a process of its own.

``torchrun --nproc-per-node N -m tasks.translate.training.worker JOB.json`` does it on N GPUs, and so does this where
the job names N processes.
"""

from __future__ import annotations

from tasks.compute import EXPLAINED, REFUSED, die_with_parent, tell_peak_memory

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import importlib
import logging
import sys
from pathlib import Path

from tasks.datasets import ImageError, SampleTable
from tasks.store import write_json
from tasks.translate.errors import TranslatorError, WeightsError
from tasks.translate.job import TOLD, TranslatorJob
from tasks.translate.sections.learned import Learned
from tasks.translate.training.distributed import joined
from tasks.translate.training.fixed_images import Judge
from tasks.translate.training.trainer import Trainer


def main(path: Path) -> int:
    """Run the job of a file; a training that cannot go on ends with one line, and status 2 where the data are wrong."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    job = TranslatorJob.model_validate_json(path.read_text())
    assert isinstance(job.translator, Learned)
    try:
        with joined(job.processes, [sys.executable, "-m", "tasks.translate.training.worker", str(path)]) as ranks:
            if not ranks.first:
                logging.getLogger().setLevel(logging.WARNING)
            source, target = SampleTable.read(job.source), SampleTable.read(job.target)
            judge = _judge(job) if ranks.first else None
            trainer = Trainer(job.translator, source, target, job.work, job.device, job.board, ranks, judge)
            trainer.run(job.inputs)
    except (TranslatorError, ImageError, WeightsError) as error:
        print(f"{EXPLAINED}{error}", flush=True)
        return 1 if isinstance(error, TranslatorError) else REFUSED
    if ranks.first:
        write_json(job.work / TOLD, trainer.times())
        tell_peak_memory()
        path.unlink()
    return 0


def _judge(job: TranslatorJob) -> Judge | None:
    """By the name of its module: it is a later room's."""
    if job.judge is None:
        return None
    judge: Judge = importlib.import_module(job.judge.module).load(job.judge.model, job.device)
    return judge


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

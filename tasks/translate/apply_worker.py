"""``python -m tasks.translate.apply_worker JOB.json``: translate a data set, in a process of its own.

Leaves the images, the sample table and, for the manifest, ``told.json``: how many images there are, how many were made
a second, and what the translator notes.
"""

from __future__ import annotations

from tasks.compute import die_with_parent, do_job, share_threads

if __name__ == "__main__":
    die_with_parent()  # before the slow imports below

import logging
import shutil
import sys
import time
from pathlib import Path

from tasks.datasets import DatasetError, ImageError, SampleTable
from tasks.store import write_json
from tasks.translate.apply import translate_table
from tasks.translate.errors import OutsideError, WeightsError
from tasks.translate.job import SCRATCH, TOLD, TranslationJob
from tasks.translate.methods.base import Resources, method_module


def work(path: Path) -> None:
    """Run the job of a file.

    Raises:
        ImageError: an image cannot be translated; the message names it.
        DatasetError, OutsideError: images that another program made are not what they should be.
        WeightsError: the weights cannot be read, or belong to another method or architecture.
    """
    job = TranslationJob.model_validate_json(path.read_text())
    if job.translator.learned:
        share_threads()
    table = SampleTable.read(job.source)
    target = SampleTable.read(job.target) if job.target else None
    resources = Resources(target, job.weights, job.device, table, job.work)
    loading = time.perf_counter()
    translator = method_module(job.translator.method).load(job.translator, resources)
    start = loading if job.translator.made == "loading" else time.perf_counter()
    made = translate_table(table, translator, job.work, job.translator.name)
    shutil.rmtree(job.work / SCRATCH, ignore_errors=True)
    rate = round(made / (time.perf_counter() - start), 2)
    told = {"images": len(table), "images_per_second": None if job.translator.made == "before" else rate}
    write_json(job.work / TOLD, {**told, **translator.notes})


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    sys.exit(do_job(Path(sys.argv[1]), work, ImageError, WeightsError, DatasetError, OutsideError))

"""What can be said of the scoring once the data sets are read, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tasks.contracts import Finding, Task
from tasks.datasets import SampleTable
from tasks.evaluate.config import EvaluateConfig
from tasks.evaluate.counted import left_out_of
from tasks.settings import Problem

_SIDES = ("source", "target")


def scoring_problems(
    config: EvaluateConfig, tasks: Iterable[Task], tables: Mapping[str, SampleTable]
) -> Iterator[Problem]:
    """Tasks of which ``classes: shared`` would leave nothing to score.

    Args:
        config: the section of the configuration.
        tasks: those that are trained.
        tables: role -> data set.
    """
    infos = [tables[side].info for side in _SIDES]
    for task in tasks:
        classes = infos[0].detection if task == "detection" else tuple(c.name for c in infos[0].classes)
        if classes and set(classes) <= set(left_out_of(task, config, infos)):
            names = tuple(info.dataset for info in infos)
            yield Problem(("classes",), Finding.of("settings.nothing_shared", task=task, sets=names))

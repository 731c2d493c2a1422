"""Running all checks that a choice of data sets allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tasks.contracts import Labels
from tasks.datasets.checks.classes import box_checks, class_checks
from tasks.datasets.checks.images import set_checks
from tasks.datasets.checks.leaks import leak_checks, sequence_checks
from tasks.datasets.checks.model import Check, CheckedSet, names_text
from tasks.datasets.config import DatasetsConfig


def run_checks(
    sets: Mapping[str, CheckedSet], config: DatasetsConfig, needed: Mapping[str, Collection[Labels]] | None = None
) -> list[Check]:
    """Check each data set, and each training set against the benchmark.

    Args:
        sets: by role: any of source, target and benchmark.
        config: what is tolerated.
        needed: role -> the labels that are going to be used: a set without them is an error, else worth a warning.

    Returns:
        All checks that could be made, passed or not, in order of the roles.
    """
    needed = needed or {}
    checks = [c for role, checked in sets.items() for c in set_checks(role, checked, config, needed.get(role, ()))]
    if not sets:
        return checks
    against = "benchmark" if "benchmark" in sets else next(iter(sets))
    for role, checked in sets.items():
        if role != against:
            checks += _pair(f"{role} / {against}", checked, sets[against], config, against == "benchmark")
    return checks


def _pair(role: str, training: CheckedSet, benchmark: CheckedSet, config: DatasetsConfig, scored: bool) -> list[Check]:
    """The checks of two sets; where the second is no benchmark, ``scored`` is false and only classes must agree."""
    taxonomy = _taxonomy(role, training, benchmark)
    checks = [taxonomy]
    if not scored or not len(training.table) or not len(benchmark.table):
        return checks
    checks += leak_checks(role, training, benchmark, config.checks)
    checks += sequence_checks(role, training, benchmark)
    if taxonomy.passed:
        checks += class_checks(role, training.table, benchmark.table, config.checks)
        checks += box_checks(role, training.table, benchmark.table, config.checks)
    return checks


def _taxonomy(role: str, first: CheckedSet, second: CheckedSet) -> Check:
    """Whether index and category mean the same class in both."""
    a, b = first.table.info, second.table.info
    lists = {
        "classes": ([c.name for c in a.classes], [c.name for c in b.classes]),
        "detection classes": (list(a.detection), list(b.detection)),
    }
    one, other = role.split(" / ")
    listed = tuple(
        f"{what}: {one} {names_text(x, 30)}; {other} {names_text(y, 30)}" for what, (x, y) in lists.items() if x != y
    )
    message = f"{one.capitalize()} and {other} have the same classes in the same order."
    if listed:
        differing = " and ".join(what for what, (x, y) in lists.items() if x != y)
        message = f"The {differing} of {one} and {other} differ: read both with one taxonomy and one list of detection."
    return Check(
        name="taxonomy",
        role=role,
        severity="error",
        passed=not listed,
        measured=len(listed),
        threshold=0,
        message=message,
        listed=listed,
        unit="count",
    )

"""Running all checks that a choice of data sets allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tasks.contracts import Check, Finding, Labels
from tasks.datasets.checks.classes import box_checks, class_checks
from tasks.datasets.checks.images import set_checks
from tasks.datasets.checks.leaks import leak_checks, sequence_checks
from tasks.datasets.checks.model import CheckedSet, role_told
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
            checks += _pair((role, against), checked, sets[against], config, against == "benchmark")
    return checks


def _pair(
    roles: tuple[str, str], training: CheckedSet, benchmark: CheckedSet, config: DatasetsConfig, scored: bool
) -> list[Check]:
    """The checks of two sets; where the second is no benchmark, ``scored`` is false and only classes must agree."""
    taxonomy = _taxonomy(roles, training, benchmark)
    checks = [taxonomy]
    if not scored or not len(training.table) or not len(benchmark.table):
        return checks
    checks += leak_checks(roles, training, benchmark, config.checks)
    checks += sequence_checks(roles, training, benchmark)
    if taxonomy.passed:
        checks += class_checks(roles, training.table, benchmark.table, config.checks)
        checks += box_checks(roles, training.table, benchmark.table, config.checks)
    return checks


def _taxonomy(roles: tuple[str, str], first: CheckedSet, second: CheckedSet) -> Check:
    """Whether index and category mean the same class in both."""
    a, b = first.table.info, second.table.info
    lists = {
        "checks.of_masks": (tuple(c.name for c in a.classes), tuple(c.name for c in b.classes)),
        "checks.of_boxes": (a.detection, b.detection),
    }
    differing = {code: both for code, both in lists.items() if both[0] != both[1]}
    of = {"one": role_told(roles[0]), "other": role_told(roles[1])}
    code = f"checks.taxonomy_{'failed' if differing else 'passed'}"
    return Check(
        name="taxonomy",
        roles=roles,
        severity="error",
        passed=not differing,
        measured=len(differing),
        threshold=0,
        finding=Finding.of(code, kinds=tuple(map(Finding.of, differing)), **of),
        listed=tuple(
            Finding.of("checks.classes_item", kind=Finding.of(kind), ours=ours, theirs=theirs, **of)
            for kind, (ours, theirs) in differing.items()
        ),
        unit="count",
    )

"""The notes of a verdict: on what evidence it rests, and what else the arms say."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.catalogue import points, t
from tasks.contracts import Difference, MadeWith, Note
from tasks.report.case import Case, score
from tasks.report.clusters import worth
from tasks.report.intervals import scaled
from tasks.report.score_table import Row
from tasks.report.words import (
    arm_label,
    capital,
    change,
    count,
    listed,
    outcome_label,
    part_label,
    probability,
    signed,
)

_MISSING = 12  # cells that are named
_ONE_SEED = {"one_seed", "training_unknown"}  # what a note says of single seeds, a second one need not


def notes(case: Case) -> Iterable[str]:
    """Seeds and tests, the other translators, the other comparisons, and what is missing."""
    yield from _evidence(case)
    yield from _rivals(case)
    if case.best and case.oracle is None and not case.mixed:
        yield t("notes.gap_unknown", why=case.why_missing(case.oracle_name))
    yield from _mixing(case)
    yield from _others(case)
    yield from _comparison(case)


def by_seed(case: Case) -> dict[int, float]:
    """The difference to the baseline in points for each seed that both arms were trained with."""
    if case.best is None or case.base is None:
        return {}
    if case.difference is not None and case.difference.by_seed:
        return {seed: 100 * d for seed, d in sorted(case.difference.by_seed.items())}
    mine, theirs = case.best.cells[0].seeds, case.base.cells[0].seeds
    return {seed: mine[seed] - theirs[seed] for seed in sorted(mine.keys() & theirs.keys())}


def _evidence(case: Case) -> Iterable[str]:
    if case.best is None or case.base is None:
        return
    mine, theirs = case.best.cells[0].seeds, case.base.cells[0].seeds
    if len(mine) == len(theirs) == 1:
        same = "" if mine.keys() == theirs.keys() else t("notes.other_seed")
        if case.difference is None:
            yield t("notes.seed_without_interval", same=same)
        elif not (case.compared and any(n.code in _ONE_SEED and not n.arms for n in case.compared.notes)):
            yield t("notes.seed_with_interval", same=same)
        return
    yield t("notes.over_seeds", mine=_spread(mine), theirs=_spread(theirs))
    if common := by_seed(case):
        each = ", ".join(t("notes.of_seed", change=signed(d), seed=seed) for seed, d in common.items())
        yield t("notes.by_seed", each=each)
    if case.difference is not None and case.difference.sign_flip is not None:
        p = probability(case.difference.sign_flip)
        yield t("notes.sign_flip", seeds=count(len(common), "seed"), p=p)
    if mine.keys() != theirs.keys():
        yield t("notes.other_seeds" if case.difference is None else "notes.other_seeds_common")


def _spread(seeds: dict[int, float]) -> str:
    low, high = min(seeds.values()), max(seeds.values())
    span = points(low) if len(seeds) == 1 else t("notes.span", low=points(low), high=points(high))
    return t("notes.spread", span=span, seeds=count(len(seeds), "seed"))


def _rivals(case: Case) -> Iterable[str]:
    if case.base is None:
        return
    if len(case.rivals) > 1:
        each = ", ".join(f"{r.arm.translator} {_to_base(case, r)}" for r in case.rivals)
        yield t("notes.best_of", n=len(case.rivals), each=each)
    if case.controls:
        each = ", ".join(f"{arm_label(r.arm)} {_to_base(case, r)}" for r in case.controls)
        yield t("notes.control", each=each)


def _to_base(case: Case, row: Row) -> str:
    assert case.base
    found = case.between(row.arm, case.base.arm)
    return _change(found) if found else signed(score(row) - score(case.base))


def _change(difference: Difference) -> str:
    return change(scaled(difference.value), scaled(difference.low), scaled(difference.high))


def _mixing(case: Case) -> Iterable[str]:
    """What the simulator's images add to the real ones, where that was run beside the main comparison."""
    real = case.rows.get(case.oracle_name)
    added = [r for r in case.rows.values() if r.arm.mixed and r.arm.real_images is None]
    if case.mixed and case.base and case.base.arm != case.oracle_name and real:
        yield t("notes.real_alone", score=points(score(real)))
    if case.mixed or not added:
        return
    each = ", ".join(f"{arm_label(r.arm)} {points(score(r))}" for r in sorted(added, key=score, reverse=True))
    yield t("notes.added_to", score=points(score(real)), each=each) if real else t("notes.added", each=each)


def _others(case: Case) -> Iterable[str]:
    """The best arm against the oracle, mixed arms against the mixed baseline, and each against what it is built on."""
    best = [case.best] if case.best and not case.mixed else []
    for row in (*best, *(r for r in case.rows.values() if r.arm.mixed or r.arm.built_on)):
        told = []
        usual = (case.mixed_name, case.oracle_name) if row.arm.mixed else (case.oracle_name,)
        for other in dict.fromkeys((*usual, *row.arm.built_on)):
            main = case.best is not None and (row.arm, other) == (case.best.arm, case.base_name)
            found = case.between(row.arm, other)
            if found is not None and not main:
                about = {"other": part_label(other), "change": _change(found), "outcome": _judged(found)}
                told.append(t("notes.pair", **about))
        if told:
            yield t("notes.pairs", label=arm_label(row.arm), each=", ".join(told))


def _judged(difference: Difference) -> str:
    """What an arm is against another; what improves and harms is translation."""
    match difference.outcome:
        case "improves":
            return t("notes.pair_better")
        case "harms":
            return t("notes.pair_worse")
    return outcome_label(difference.outcome)


def _comparison(case: Case) -> Iterable[str]:
    if case.compared is None:
        return
    if missing := case.compared.missing:
        cells = [t("notes.cell", arm=arm_label(m.arm), seed=m.seed) for m in missing]
        yield t("notes.missing", cells=listed(cells, _MISSING))
    if told := worth(case.compared.clusters, case.compared.images):
        yield told
    for note in case.compared.notes:
        yield capital(_told(note))


def _told(note: Note) -> str:
    """How far the intervals go, in words."""
    values: dict[str, object] = dict(note.values)
    match note.code:
        case "one_seed" if note.arms:
            return t("notes.one_seed_of", arms=", ".join(map(part_label, note.arms)))
        case "no_common_seed" | "few_common_seeds":
            values |= {"arm": part_label(note.arms[0]), "against": part_label(note.arms[1])}
            values |= {"common": len(note.seeds), "seeds": ", ".join(map(str, note.seeds))}
        case "no_slices" | "no_attributes":
            values |= {"names": ", ".join(note.names)}
        case "made_with":
            values |= {"each": "; ".join(map(_made_with, note.made))}
    return t(f"notes.{note.code}", **values)


def _made_with(made: MadeWith) -> str:
    names = {"device": t("notes.device"), "precision": t("notes.precision"), "system": t("notes.system")}
    versions = ", ".join(f"{names.get(name, name)} {value}" for name, value in made.versions.items())
    return f"{versions} ({', '.join(map(part_label, made.arms))})"

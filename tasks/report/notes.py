"""The notes of a verdict: on what evidence it rests, and what else the arms say."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.evaluate.outcome import Difference
from tasks.report.case import Case, score
from tasks.report.intervals import scaled
from tasks.report.model import Row
from tasks.report.words import (
    arm_label,
    change,
    count,
    is_mixed,
    part_label,
    points,
    probability,
    signed,
    translator_of,
)

_MISSING = 12  # cells that are named
_WORDS = {"improves": "better", "harms": "worse"}  # of an arm against another, not of what translation does


def notes(case: Case) -> Iterable[str]:
    """Seeds and tests, the other translators, the other comparisons, and what is missing."""
    yield from _evidence(case)
    yield from _rivals(case)
    if case.best and case.oracle is None and not case.mixed:
        yield f"How much of the gap that closes is unknown: {case.why_missing(case.oracle_name)}."
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
        same = "" if mine.keys() == theirs.keys() else ", and not the same one"
        if case.difference is None:
            yield f"1 seed an arm{same}: no interval, and differences of a few points can be chance."
        elif not (case.compared and any(n.startswith("1 seed") for n in case.compared.notes)):
            yield f"1 seed an arm{same}: the interval leaves out the chance of training."
        return
    yield f"Over seeds: {_spread(mine)} against {_spread(theirs)}."
    if common := by_seed(case):
        yield f"Difference by seed: {', '.join(f'{signed(d)} (seed {seed})' for seed, d in common.items())}."
    if case.difference is not None and case.difference.sign_flip is not None:
        yield f"Sign-flip test over {count(len(common), 'seed')}: p = {probability(case.difference.sign_flip)}."
    if mine.keys() != theirs.keys():
        by = " The difference is over those that both have." if case.difference is not None else ""
        yield f"The two arms were not trained with the same seeds.{by}"


def _spread(seeds: dict[int, float]) -> str:
    low, high = min(seeds.values()), max(seeds.values())
    span = points(low) if len(seeds) == 1 else f"{points(low)} to {points(high)}"
    return f"{span} ({count(len(seeds), 'seed')})"


def _rivals(case: Case) -> Iterable[str]:
    if case.base is None:
        return
    if len(case.rivals) > 1:
        each = ", ".join(f"{translator_of(r.arm)} {_to_base(case, r)}" for r in case.rivals)
        number = len(case.rivals)
        yield f"Best of {number} translators, picked on the benchmark itself, so a little optimistic: {each}."
    if case.controls:
        each = ", ".join(f"{arm_label(r.arm)} {_to_base(case, r)}" for r in case.controls)
        yield f"Control, whose images are only encoded anew: {each}. Differences of that size mean nothing."


def _to_base(case: Case, row: Row) -> str:
    assert case.base
    found = case.between(row.arm, case.base.arm)
    return _change(found) if found else signed(score(row) - score(case.base))


def _change(difference: Difference) -> str:
    return change(scaled(difference.value), scaled(difference.low), scaled(difference.high))


def _mixing(case: Case) -> Iterable[str]:
    """What the simulator's images add to the real ones, where that was run beside the main comparison."""
    real = case.rows.get(case.oracle_name)
    added = [r for r in case.rows.values() if is_mixed(r.arm)]
    if case.mixed and case.base and case.base.arm != case.oracle_name and real:
        yield f"Real images alone reach {points(score(real))}."
    if case.mixed or not added:
        return
    alone = f" ({points(score(real))} alone)" if real else ""
    each = [f"{arm_label(r.arm)} {points(score(r))}" for r in sorted(added, key=score, reverse=True)]
    yield f"Added to real images{alone}: {', '.join(each)}."


def _others(case: Case) -> Iterable[str]:
    """The best arm against the oracle, and mixed arms against the mixed baseline and the oracle."""
    best = [case.best] if case.best and not case.mixed else []
    for row in (*best, *(r for r in case.rows.values() if is_mixed(r.arm))):
        told = []
        for other in (case.mixed_name, case.oracle_name) if is_mixed(row.arm) else (case.oracle_name,):
            main = case.best is not None and (row.arm, other) == (case.best.arm, case.base_name)
            found = case.between(row.arm, other)
            if found is not None and not main:
                outcome = _WORDS.get(found.outcome, found.outcome)
                told.append(f"against {part_label(other)} {_change(found)} ({outcome})")
        if told:
            yield f"{arm_label(row.arm)} {', '.join(told)}."


def _comparison(case: Case) -> Iterable[str]:
    if case.compared is None:
        return
    if missing := case.compared.missing:
        named = [f"{arm_label(m.arm)} seed {m.seed}" for m in missing[:_MISSING]]
        more = [f"and {len(missing) - _MISSING} more"] if len(missing) > _MISSING else []
        yield f"Missing of the matrix: {', '.join([*named, *more])}."
    for note in case.compared.notes:
        text = note.rstrip(".")
        yield f"{text[:1].upper()}{text[1:]}."

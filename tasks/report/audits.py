"""The audits of the translated sets: what each comes to in a sentence, and how its parts are put into words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasks.catalogue import figure, percent, t
from tasks.contracts import DETAIL_PARTS, Audit, AuditCheck, ClassFlips, Detail, Gap, Recall, RunRecord
from tasks.report.model import AuditPart
from tasks.report.reading import Reader
from tasks.report.words import capital, count, listed, rate_words

LISTED = 8  # images that a check or an action names
DESTINATIONS = 3  # classes that a class's pixels flip to
_ACTIONS = ("drop", "keep_source")


def read_audits(record: RunRecord, reader: Reader) -> Iterable[AuditPart]:
    """The audits of the run; one that cannot be read is one of the reader's problems."""
    for name, artifact in record.audits.items():
        audit = reader.filed(artifact, Audit)
        if audit is not None:
            yield AuditPart(name=name, summary=summary(audit), audit=audit)


def summary(audit: Audit) -> str:
    """The audit's findings in one sentence, of what was measured."""
    parts = (_flips(audit), _detail(audit), _recall(audit), _distance(audit), *_gap(audit.gap))
    text = "; ".join(part for part in parts if part) or t("audits.nothing")
    return f"{capital(text)}."


def _flips(audit: Audit) -> str:
    if audit.flips is None or audit.flips.share.value is None:
        return t("audits.flips_unknown")
    if audit.flips.real_miou is None:
        return t("audits.flips", share=rate_words(audit.flips.share))
    return t("audits.flips_judged", share=rate_words(audit.flips.share), miou=100 * audit.flips.real_miou)


def _detail(audit: Audit) -> str:
    image = next((d for d in audit.detail if d.region == "image"), None)
    if image is None:
        return ""
    kept = {part: getattr(image, part).value for part in DETAIL_PARTS}
    told = [t(f"audits.kept_{part}", share=percent(value)) for part, value in kept.items() if value is not None]
    return t("audits.kept", parts=", ".join(told)) if told else ""


def _recall(audit: Audit) -> str:
    every = next((r for r in audit.recall if r.size == "all"), None)
    if every is None or every.before.value is None or every.after.value is None:
        return ""
    return t("audits.recall", before=percent(every.before.value), after=percent(every.after.value))


def _distance(audit: Audit) -> str:
    if not audit.distances:
        return ""
    first = audit.distances[0]
    values = {"name": first.name, "before": figure(first.before), "after": figure(first.after)}
    if first.floor is None:
        return t("audits.distance", **values)
    return t("audits.distance_floor", floor=figure(first.floor), **values)


def _gap(gap: Gap | None) -> Iterator[str]:
    if gap is None:
        return
    measured = ("colour_before", "colour_after", "spectrum_before", "spectrum_after")
    yield t("audits.gap", **{name: figure(getattr(gap, name)) for name in measured})
    known = {"audits.frequencies": gap.frequency, "audits.places": gap.prior}
    if told := [t(key, value=figure(value)) for key, value in known.items() if value is not None]:
        yield t("audits.semantic_gap", parts=", ".join(told))


def failed(audit: Audit) -> tuple[AuditCheck, ...]:
    """The checks that did not pass, in the audit's order: the worst first."""
    return tuple(c for c in audit.checks if not c.passed)


def passed(audit: Audit) -> str:
    """How many checks passed, as ``11 of 14 checks passed``."""
    whole = len(audit.checks)
    return t("audits.passed", passed=whole - len(failed(audit)), checks=count(whole, "check"))


def acted(audit: Audit) -> str:
    """What was done with images that were flipped too much, the first of them by name; nothing where none was."""
    told = []
    for action in _ACTIONS:
        mine = [a for a in audit.acted if a.action == action]
        ids = few(t("audits.flipped", id=a.id, share=percent(a.flipped)) for a in mine)
        if mine:
            told.append(t(f"audits.acted_{action}", n=len(mine), images=count(audit.images, "image"), ids=ids))
    return " ".join(told)


def few(names: Iterable[str]) -> str:
    """The first of the names, and how many more there are."""
    return listed(names, LISTED)


def destinations(flips: ClassFlips) -> str:
    """What a class's flipped pixels are mostly read as, as ``Tree 12.0 %, Building 3.1 %``."""
    return ", ".join(f"{name} {percent(share)}" for name, share in list(flips.to.items())[:DESTINATIONS])


def seen(flips: Iterable[ClassFlips]) -> list[ClassFlips]:
    """The classes that have flips to tell of, those that flip most first."""
    known = [(f.rate.value, f) for f in flips if f.rate.value is not None]
    return [f for _, f in sorted(known, key=lambda pair: -pair[0])]


def unseen(flips: Iterable[ClassFlips]) -> list[str]:
    """The classes that no pixel was read rightly of, so that none can flip."""
    return [f.name for f in flips if f.rate.value is None]


def measured_detail(detail: Iterable[Detail]) -> list[Detail]:
    """The regions that some image has."""
    return [d for d in detail if d.images]


def measured_recall(recall: Iterable[Recall]) -> list[Recall]:
    """The sizes that some box has."""
    return [r for r in recall if r.boxes]

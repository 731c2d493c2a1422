"""The audits of the translated sets: what each comes to in a sentence, and how its parts are put into words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tasks.evaluate.audit.model import Audit, AuditCheck, ClassFlips, Detail, Gap, Recall
from tasks.report.model import AuditPart
from tasks.report.reading import Reader
from tasks.report.record import RunRecord
from tasks.report.words import count, figure, percent, rate_words

LISTED = 8  # images that a check or an action names
DESTINATIONS = 3  # classes that a class's pixels flip to
_ACTED = {"drop": "left out of the training", "keep_source": "replaced by the source's"}
_SHORT = {"gradient": "gradients", "edges": "edges", "high_band": "the high band"}


def read_audits(record: RunRecord, reader: Reader) -> Iterable[AuditPart]:
    """The audits of the run; one that cannot be read is one of the reader's problems."""
    for name, artifact in record.audits.items():
        audit = reader.model(artifact.file("audit.json"), Audit)
        if audit is not None:
            yield AuditPart(name=name, summary=summary(audit), audit=audit)


def summary(audit: Audit) -> str:
    """The audit's findings in one sentence, of what was measured."""
    parts = (_flips(audit), _detail(audit), _recall(audit), _distance(audit), *_gap(audit.gap))
    text = "; ".join(part for part in parts if part) or "nothing could be measured"
    return f"{text[:1].upper()}{text[1:]}."


def _flips(audit: Audit) -> str:
    if audit.flips is None or audit.flips.share.value is None:
        return "flips were not measured"
    return f"flips {rate_words(audit.flips.share)} of the pixels that the frozen segmenter read rightly"


def _detail(audit: Audit) -> str:
    image = next((d for d in audit.detail if d.region == "image"), None)
    if image is None:
        return ""
    kept = {_SHORT[part]: getattr(image, part).value for part in _SHORT}
    told = ", ".join(f"{words} {percent(value)}" for words, value in kept.items() if value is not None)
    return f"detail kept: {told}" if told else ""


def _recall(audit: Audit) -> str:
    every = next((r for r in audit.recall if r.size == "all"), None)
    if every is None or every.before.value is None or every.after.value is None:
        return ""
    return f"recall of the frozen detector {percent(every.before.value)} → {percent(every.after.value)}"


def _distance(audit: Audit) -> str:
    if not audit.distances:
        return ""
    first = audit.distances[0]
    floor = f" (floor {figure(first.floor)})" if first.floor is not None else ""
    return f"distance to real, {first.name}, {figure(first.before)} → {figure(first.after)}{floor}"


def _gap(gap: Gap | None) -> Iterator[str]:
    if gap is None:
        return
    yield (
        f"RGB gap: colour {figure(gap.colour_before)} → {figure(gap.colour_after)}, "
        f"spectrum {figure(gap.spectrum_before)} → {figure(gap.spectrum_after)} dB"
    )
    known = {"class frequencies": gap.frequency, "class places": gap.prior}
    if told := [f"{words} {figure(value)}" for words, value in known.items() if value is not None]:
        yield f"semantic gap, which no translation closes: {', '.join(told)}"


def failed(audit: Audit) -> tuple[AuditCheck, ...]:
    """The checks that did not pass, in the audit's order: the worst first."""
    return tuple(c for c in audit.checks if not c.passed)


def passed(audit: Audit) -> str:
    """How many checks passed, as ``11 of 14 checks passed``."""
    return f"{len(audit.checks) - len(failed(audit))} of {count(len(audit.checks), 'check')} passed"


def acted(audit: Audit) -> str:
    """What was done with images that were flipped too much, the first of them by name; nothing where none was."""
    told = []
    for action, words in _ACTED.items():
        ids = [f"{a.id} ({percent(a.flipped)} flipped)" for a in audit.acted if a.action == action]
        if ids:
            told.append(f"{len(ids)} of {count(audit.images, 'image')} {words}: {few(ids)}.")
    return " ".join(told)


def few(names: Iterable[str]) -> str:
    """The first of the names, and how many more there are."""
    names = list(names)
    more = [f"and {len(names) - LISTED} more"] if len(names) > LISTED else []
    return ", ".join([*names[:LISTED], *more])


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

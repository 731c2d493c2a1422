"""The audit's checks in words: from what was measured, so that they can be said in any language."""

from __future__ import annotations

import re
from string import Formatter

from tasks.catalogue import catalogue, figure, known, percent, points, t
from tasks.contracts import Audit, AuditCheck
from tasks.report.words import measure

_TO, _PART = " -> ", ": "  # in a check's subject, between class and class, and between region and part
_ALL = "all classes"
_DONE = ("drop", "keep_source", "stop")


def check_label(name: str) -> str:
    """A measure's name: ``flips``, ``flipped images``, ...; one that is not known stays."""
    return _named("label", name)


def subject_label(check: AuditCheck) -> str:
    """What a check is of: a class or a distance by its name, everything else in words."""
    match check.name:
        case "detail":
            region, _, part = check.subject.rpartition(_PART)
            return _PART.join((_named("subject", region) if region == "image" else region, _named("subject", part)))
        case "colour" | "distance":
            return check.subject
        case "flips" if check.subject != _ALL:
            return check.subject
    return _named("subject", check.subject)


def check_sentence(check: AuditCheck, audit: Audit) -> str:
    """What a check found, and what to do where it did not pass; its own message where the audit has not what it takes.

    Args:
        check: of the audit. audit: all that was measured.
    """
    found = finding(check, audit)
    if found is None:
        return check.message
    whole = check.name == "flips" and check.subject == _ALL
    advice = "flips_all" if whole else check.name.replace(" ", "_")
    most = measure(check.threshold, check.unit)
    return f"{found}{'' if check.passed else t(f'audits.advice_{advice}', most=most)}."


def recognised(prefix: str, sentence: str) -> str | None:
    """An English sentence of another room in the spoken language; None where the catalogue does not know it.

    Args:
        prefix: of the keys that it may be, such as ``audits.note_``.
        sentence: as that room wrote it.
    """
    for key, text in catalogue("en").items():
        if key.startswith(prefix) and (found := _pattern(str(text)).fullmatch(sentence)):
            return t(key, **found.groupdict())
    return None


def finding(check: AuditCheck, audit: Audit) -> str | None:
    """What a check found, without advice and without a full stop; None where the audit has not what it takes."""
    match check.name:
        case "flips":
            return _flips(check, audit)
        case "flipped images":
            return _flipped_images(check)
        case "detail":
            return _detail(check)
        case "recall":
            return _recall(check, audit)
        case "colour":
            return _colour(check, audit)
        case "distance":
            return _distance(check, audit)
        case "geometry":
            return t("audits.found_geometry", shift=measure(check.measured, check.unit))
    return None


def _flips(check: AuditCheck, audit: Audit) -> str | None:
    share = _share(check.measured)
    if check.subject == _ALL:
        return t("audits.found_flips_all", share=share)
    name, _, to = check.subject.partition(_TO)
    if not to:
        return t("audits.found_flips", share=share, name=name)
    flips = next((c for c in audit.flips.classes if c.name == name and to in c.to), None) if audit.flips else None
    if flips is None:
        return None
    return t("audits.found_flips_to", share=share, name=name, to=to, to_share=_share(flips.to[to]))


def _flipped_images(check: AuditCheck) -> str | None:
    """How many images were looked at, the limit, and what is done with those over it, are in the message alone."""
    english = catalogue("en")
    found = _pattern(str(english["audits.found_flipped_images"])).match(check.message)
    if found is None:
        return None
    rest = check.message[found.end() :]
    done = next(
        (t(f"audits.done_{what}") for what in _DONE if rest.startswith(str(english[f"audits.done_{what}"]))), ""
    )
    return t("audits.found_flipped_images", **found.groupdict()) + done


def _detail(check: AuditCheck) -> str | None:
    region, _, part = check.subject.rpartition(_PART)
    key = f"audits.found_{part.replace(' ', '_')}"
    where = t("audits.the_image") if region == "image" else region
    return t(key, share=_share(check.measured), region=where) if known(key) else None


def _recall(check: AuditCheck, audit: Audit) -> str | None:
    recall = next((r for r in audit.recall if r.size == check.subject), None)
    if recall is None or recall.before.value is None or recall.after.value is None:
        return None
    before, after = _share(recall.before.value), _share(recall.after.value)
    return t(f"audits.found_recall_{recall.size}", boxes=recall.boxes, before=before, after=after)


def _colour(check: AuditCheck, audit: Audit) -> str | None:
    gap = next((c for c in audit.gap.classes if c.name == check.subject), None) if audit.gap else None
    if gap is None or gap.colour_before is None or gap.colour_after is None:
        return None
    return t("audits.found_colour", name=gap.name, before=points(gap.colour_before), after=points(gap.colour_after))


def _distance(check: AuditCheck, audit: Audit) -> str | None:
    distance = next((d for d in audit.distances if d.name == check.subject), None)
    if distance is None:
        return None
    values = {"name": distance.name, "before": figure(distance.before), "after": figure(distance.after)}
    if distance.floor is None:
        return t("audits.found_distance", **values)
    return t("audits.found_distance_floor", floor=figure(distance.floor), **values)


def _share(value: float) -> str:
    """In percent; all of it is 100 %, as the audit itself writes."""
    return percent(value).replace("100.0", "100")


def _named(kind: str, name: str) -> str:
    key = f"audits.{kind}_{name.replace(' ', '_')}"
    return t(key) if known(key) else name


def _pattern(text: str) -> re.Pattern[str]:
    """What a text of the catalogue becomes, with a group for each of its placeholders."""
    parts = Formatter().parse(text)
    return re.compile("".join(re.escape(said) + (f"(?P<{name}>.+?)" if name else "") for said, name, _, _ in parts))

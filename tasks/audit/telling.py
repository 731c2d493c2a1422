"""Checks in words, in the language that is spoken."""

from __future__ import annotations

from tasks.catalogue import say, t
from tasks.contracts import AuditCheck, Measure


def measure_label(measure: Measure) -> str:
    """A measure's name: ``flips``, ``flipped images``, ..."""
    return t(f"audits.label_{measure}")


def subject_label(check: AuditCheck) -> str:
    """What a check is of: a class or a distance by its name, everything else in words."""
    of = check.subject
    if of.distance is not None:
        return of.distance
    if of.size is not None:
        return t(f"audits.size_{of.size}")
    if of.class_name is None and check.measure in ("flips", "flipped_images"):
        return t(f"audits.subject_{check.measure}")
    region = t("audits.subject_image") if of.class_name is None else of.class_name
    if of.becomes is not None:
        return t("audits.subject_to", name=region, to=of.becomes)
    return region if of.part is None else t("audits.subject_part", region=region, part=t(f"audits.part_{of.part}"))


def check_sentence(check: AuditCheck) -> str:
    """What a check found, and what to do where it did not pass."""
    return f"{say(check.found)}{'' if check.advice is None else say(check.advice)}."

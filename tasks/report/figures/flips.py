"""The flips by class: how much of each is read as something else after translation, and as what mostly."""

from __future__ import annotations

from markupsafe import Markup

from tasks.catalogue import percent, t
from tasks.charts import (
    LINE,
    WIDTH,
    Block,
    Figure,
    Scale,
    axis,
    interval,
    line,
    lines,
    rect,
    rules,
    scale,
    tag,
    text,
    title,
    width,
    wrap,
)
from tasks.contracts import Audit, AuditCheck, ClassFlips
from tasks.report.model import AuditPart
from tasks.report.words import rate_words

_BAR = 14.0


def flips(part: AuditPart, name: str) -> Figure | None:
    """Bars of the flipped share of each class with its 95 % interval, the main destination in full colour.

    Classes with too few pixels to be checked are grey, and last.

    Args:
        part: of the audit. name: of the translated set.
    """
    found = part.audit.flips.classes if part.audit.flips else ()
    checks = _checks(part.audit)
    known = [c for c in found if c.rate.value is not None]
    known.sort(key=lambda c: (bool(checks) and c.name not in checks, -(c.rate.value or 0.0)))
    if not known:
        return None
    limit = max((100 * c.threshold for c in checks.values()), default=None)
    ends = [100 * v for c in known for v in (c.rate.value, c.rate.high) if v is not None]
    across = scale([*ends, limit], 0.0, WIDTH - 12)
    notes = [t("figures.flips_note")]
    notes += [t("figures.limit", share=percent(limit / 100))] if limit is not None else []
    notes += [t("figures.flips_few")] if checks and not {c.name for c in known} <= checks.keys() else []
    rows = (_row(c, across, checks.get(c.name), limit) for c in known)
    blocks = (*rows, axis(across, t("figures.flips_unit")))
    return Figure("flips", t("figures.flips", name=name), " ".join(notes), blocks)


def _checks(audit: Audit) -> dict[str, AuditCheck]:
    """The check of each class."""
    return {of: c for c in audit.checks if c.measure == "flips" and (of := c.subject.class_name) is not None}


def _row(found: ClassFlips, across: Scale, check: AuditCheck | None, limit: float | None) -> Block:
    share = 100 * (found.rate.value or 0.0)
    main, to = next(iter(found.to.items()), ("", 0.0))
    failed = check is not None and not check.passed
    words = rate_words(found.rate)
    named = wrap(f"{found.name} → {main} {percent(to)}" if main else found.name, WIDTH - width(words) - 16)
    y = LINE * len(named) + 3
    height = y + _BAR + 11
    every = ", ".join(f"{name} {percent(part)}" for name, part in found.to.items())
    bar = [
        title(f"{found.name}: {words}{f' → {every}' if every else ''}"),
        rect(0, y, across(share), _BAR, "rest"),
        rect(0, y, across(100 * to), _BAR, "most"),
    ]
    drawn = [
        rules(across, y - 4, height),
        line(across(limit), y - 4, across(limit), height, "limit") if limit is not None else Markup(""),
        lines(0, 0, named),
        text(WIDTH, LINE * 0.75, words, "value down" if failed else "value", "end"),
        tag("g", *bar, class_="few" if check is None and limit is not None else "flip"),
    ]
    if found.rate.low is not None and found.rate.high is not None:
        drawn.append(interval(across, y + _BAR / 2, 100 * found.rate.low, 100 * found.rate.high))
    return Block(height, Markup("").join(drawn), (("class", found.name),))

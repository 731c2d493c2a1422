"""What differs in all that an arm's scores descend from: no more than that is put down to a change.

Scores depend on what entered the keys of the artifacts that they were made from, on the code of these, and on what
they were made with. An artifact of the same content is the same, whatever it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tasks.catalogue import t
from tasks.report import Node, Report
from tasks.store import decisive
from tasks.trends.comparing.model import ArmChange, Setting
from tasks.trends.comparing.origins import Whose, differing, explaining, keys

_DIGITS = 12  # of a digest
_LONG = 60  # characters of a value


class Untraced(Exception):
    """A report does not say what entered the keys that an arm's scores descend from."""


@dataclass(frozen=True)
class Runs:
    """Two reports, and how their configurations and data sets differ."""

    before: Report
    after: Report
    config: Sequence[Setting]
    data: Sequence[Setting]


def causes(arm: ArmChange, runs: Runs) -> tuple[Setting, ...]:
    """Everything that an arm's scores can depend on and that differs, each once, in the order of the configuration.

    Raises:
        Untraced: a report of an older version, or artifacts that were no longer in the store when it was made.
    """
    old, new = (report.provenance.scored(arm.task, arm.arm) for report in (runs.before, runs.after))
    walk = _Descent(runs, arm)
    found = [
        s for seed in sorted(old.keys() & new.keys()) for s in walk.follow(old[seed].evaluation, new[seed].evaluation)
    ]
    if old.keys() != new.keys() and arm.method != "paired":  # which is of the common seeds alone
        found += explaining(["retrain.seeds"], runs.config)
    return merged(found, runs)


def merged(found: Iterable[Setting], runs: Runs) -> tuple[Setting, ...]:
    """Each key once, with all its values: settings first, then data, then code and versions."""
    sides: dict[str, tuple[set[str | None], set[str | None]]] = {}
    subjects: dict[str, str] = {}
    for setting in found:
        before, after = sides.setdefault(setting.key, (set(), set()))
        before.add(setting.before)
        after.add(setting.after)
        subjects[setting.key] = setting.subject
    order = [s.key for s in (*runs.config, *runs.data)]
    places = {key: order.index(key) if key in order else len(order) for key in sides}
    return tuple(
        Setting(key=key, before=_joined(sides[key][0]), after=_joined(sides[key][1]), subject=subjects[key])
        for key in sorted(sides, key=lambda key: places[key])
    )


def _joined(values: Iterable[str | None]) -> str | None:
    return ", ".join(sorted(v for v in values if v is not None)) or None


@dataclass
class _Descent:
    """Follows two graphs at once from an arm's evaluations down, as far as contents differ."""

    runs: Runs
    arm: ArmChange
    seen: set[tuple[str, str]] = field(default_factory=set)

    def follow(self, old: str, new: str, judge: bool = False) -> Iterator[Setting]:
        if (old, new) in self.seen:
            return
        self.seen.add((old, new))
        before, after = self.runs.before.provenance.nodes.get(old), self.runs.after.provenance.nodes.get(new)
        if before is None or after is None:
            raise Untraced
        if before.digest == after.digest:
            return
        if before.kind != after.kind:
            yield from self._acted(old, new, before, after)
            return
        yield from self._node(before, after, self._whose(old, new, judge))
        for role in dict.fromkeys([*after.inputs, *before.inputs]):
            yield from self._input(role, before, after, judge or role.startswith("judged"))

    def _input(self, role: str, before: Node, after: Node, judge: bool) -> Iterator[Setting]:
        if role in before.inputs and role in after.inputs:
            yield from self.follow(before.inputs[role], after.inputs[role], judge)
            return
        sides = {
            name: t("compare.there") if role in n.inputs else None for name, n in (("before", before), ("after", after))
        }
        yield Setting(key=f"{after.kind}: {role}", **sides)

    def _acted(self, old: str, new: str, before: Node, after: Node) -> Iterator[Setting]:
        """Of a translated set that the audit acted on, the audit is trained on."""
        acted = explaining(["audit"], self.runs.config)
        yield from acted or [Setting(key=t("compare.trained_on"), before=before.kind, after=after.kind)]
        yield from self.follow(before.inputs.get("translated", old), after.inputs.get("translated", new))

    def _whose(self, old: str, new: str, judge: bool) -> Whose:
        rows = [d for report in (self.runs.after, self.runs.before) for d in report.datasets]
        roles = dict.fromkeys(d.role for d in rows if f"dataset/{d.key}" in (old, new))
        return Whose(self.arm.task, self.arm.arm.translator, list(roles), judge)

    def _node(self, before: Node, after: Node, whose: Whose) -> Iterator[Setting]:
        if before.config is None or after.config is None:
            raise Untraced
        settings = list(self._settings(before, after, whose))
        yield from settings
        if after.kind == "dataset" and not settings:  # its files: what is seen to differ of them first
            yield from [s for s in self.runs.data if s.subject in whose.roles][:1]
        if before.code and after.code and before.code != after.code:
            key = t("compare.code_of", stage=after.kind)
            yield Setting(key=key, before=before.code[:_DIGITS], after=after.code[:_DIGITS], subject=after.kind)
        yield from self._made_with(before, after)

    def _settings(self, before: Node, after: Node, whose: Whose) -> Iterator[Setting]:
        for place, old, new in differing(after.kind, before.config or {}, after.config or {}):
            wanted = keys(after.kind, place, whose)
            name = wanted[0] if wanted else f"{after.kind}: {place}"
            known = explaining(wanted, self.runs.config)
            if known or wanted or after.kind != "dataset":
                yield from known or [Setting(key=name, before=_text(old), after=_text(new))]

    def _made_with(self, before: Node, after: Node) -> Iterator[Setting]:
        old, new = made_with(self.runs.before, before), made_with(self.runs.after, after)
        for name in dict.fromkeys([*new, *old]):
            if name in old and name in new and old[name] != new[name]:
                yield Setting(key=name, before=old[name], after=new[name])


def made_with(report: Report, node: Node) -> dict[str, str]:
    """What an artifact's numbers can depend on beside settings, inputs and code; nothing where that is not known."""
    environments = report.provenance.environments
    return decisive({} if node.environment is None else environments[node.environment], node.device)


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"

"""The losses of a training: averaged over windows into a file of JSON lines, and watched for what is not finite."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tasks.translate.errors import SetbackError

_Entry = tuple[int, dict[str, float]]
_NOTES = ("rollback", "validation")  # what lines that are no losses have


class LossLog:
    """Collects each step's losses; every ``every`` steps one line, ``{"step": ..., "<loss>": mean, ...}``.

    Values stay on the device until a line is due, so that a GPU is not stopped at every step.

    Args:
        path: the file; None where nothing is to be written.
        every: steps a line.
        listener: is told the steps done and the losses of each line.
    """

    def __init__(
        self, path: Path | None, every: int, listener: Callable[[int, dict[str, float]], None] | None = None
    ) -> None:
        self.path = path
        self.every = every
        self.listener = listener
        self._fresh: list[tuple[int, dict[str, Tensor]]] = []
        self._checked: list[_Entry] = []
        self._last: dict[str, float] = {}

    def add(self, step: int, values: dict[str, Tensor], *, last: bool = False) -> None:
        """Take a step's losses; writes a line where one is due.

        Raises:
            SetbackError: a loss of the window is not finite.
        """
        self._fresh.append((step, values))
        if (step + 1) % self.every == 0 or last:
            self.check()
            self._write(step + 1)

    def flush(self, step: int) -> None:
        """After so many steps, write a line of what no line holds yet."""
        self.check()
        if self._checked:
            self._write(step)

    def note(self, entry: dict[str, Any]) -> None:
        """Write a line that is no losses: one of those that ``rewind`` takes."""
        if self.path is not None:
            with self.path.open("a") as stream:
                stream.write(json.dumps(entry) + "\n")

    def check(self) -> None:
        """Bring the values to the CPU.

        Raises:
            SetbackError: one of them is not finite.
        """
        if not self._fresh:
            return
        flat = torch.stack([v.float() for _, values in self._fresh for v in values.values()]).tolist()
        for step, values in self._fresh:
            entry = {name: flat.pop(0) for name in values}
            for name, value in entry.items():
                if not math.isfinite(value):
                    raise SetbackError(f"loss '{name}' is {value} at step {step + 1}")
            self._checked.append((step, entry))
        self._fresh = []

    def pending(self) -> list[list[Any]]:
        """The checked values that no line holds yet, for a checkpoint."""
        return [[step, entry] for step, entry in self._checked]

    def rewind(self, step: int, pending: list[list[Any]], notes: Sequence[dict[str, Any]] = ()) -> None:
        """Go back to the state after ``step`` steps: later lines are dropped; the file's only notes are these.

        Args:
            step: steps done.
            pending: what ``pending`` gave then.
            notes: lines that are no losses, each with its ``step``, and ``rollback`` or ``validation``.
        """
        self._fresh, self._checked = [], [(s, dict(entry)) for s, entry in pending]
        lines = self.path.read_text().splitlines() if self.path is not None and self.path.exists() else []
        entries = [e for e in map(_parsed, lines) if e is not None and e["step"] <= step and not is_note(e)]
        self._last = {k: v for k, v in entries[-1].items() if k != "step"} if entries else {}
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            merged = sorted([*entries, *notes], key=lambda e: float(e["step"]))
            self.path.write_text("".join(f"{json.dumps(e)}\n" for e in merged))

    def last(self) -> dict[str, float]:
        """The losses of the newest line."""
        return dict(self._last)

    def summary(self) -> str:
        """The losses of the newest line, for people."""
        return ", ".join(f"{name} {value:.3f}" for name, value in self._last.items())

    def _write(self, step: int) -> None:
        sums: dict[str, list[float]] = {}
        for _, entry in self._checked:
            for name, value in entry.items():
                sums.setdefault(name, []).append(value)
        self._last = {name: round(sum(v) / len(v), 6) for name, v in sums.items()}
        self._checked = []
        self.note({"step": step, **self._last})
        if self.listener is not None:
            self.listener(step, self._last)


def is_note(entry: dict[str, Any]) -> bool:
    """Whether an entry of the file is no line of losses."""
    return any(name in entry for name in _NOTES)


def _parsed(line: str) -> dict[str, Any] | None:
    """A line's entry; None for one that a crash cut short."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "step" in entry else None

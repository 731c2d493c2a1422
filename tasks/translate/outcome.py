"""What a training came to, as Markdown: how losses and validations went, its strip, and its last grid of samples."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from tasks.contracts import KeptStep, TranslatorCard
from tasks.translate.training.losslog import is_note
from tasks.translate.training.validation import STRIP

_ROWS = 12
_WIDTH = 800  # pixels of the picture, which travels inside the text
_QUALITY = 80


def outcome(folder: Path, speed: float | None = None) -> str:
    """Describe a finished training.

    Args:
        folder: where it lies (``card.json``, ``log.jsonl``, ``samples/``, and ``strip.png`` where it was validated).
        speed: steps a second, which the manifest alone knows; None where they are not known.
    """
    card = TranslatorCard.read(folder)
    pace = "" if speed is None else f", {speed:g} a second"
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [e for e in entries if not is_note(e)]
    text = [
        f"{card.iterations} steps of {card.method}{pace} ({card.device}).",
        *(f"**Rolled back** to step {r['step']}: {r['rollback']}; lr x {r['lr_factor']:g}" for r in card.rollbacks),
        _table(_spread(losses)),
    ]
    if card.kept is not None:
        found = [v.model_dump(exclude_none=True) for v in card.validations]
        text += [f"Validated on fixed images (step 0: the source itself). {_kept(card.kept)}", _table(_spread(found))]
        text += [f"Source, translations by step, nearest target image:\n\n![validation]({_picture(folder / STRIP)})"]
    if grids := sorted((folder / "samples").glob("*.png")):
        text += ["Source, translated, a target image:", f"![samples]({_picture(grids[-1])})"]
    return "\n\n".join(text) + "\n"


def _kept(kept: KeptStep) -> str:
    why = {
        "last": "it is the last one",
        "closest": "of those that keep the accuracy, where it is judged, it is nearest to the target",
        "most_accurate": "none keeps the accuracy, and this one loses least of it",
    }
    return f"The weights are those of step {kept.step}: {why[kept.why]}."


def _table(entries: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for e in entries for name in e))
    rows = [" | ".join(_cell(e.get(name)) for name in names) for e in entries]
    return "\n".join(f"| {row} |" for row in (" | ".join(names), " | ".join("---:" for _ in names), *rows))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _spread(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Some of the lines, the first and the last among them."""
    if len(entries) <= _ROWS:
        return entries
    return [entries[round(k * (len(entries) - 1) / (_ROWS - 1))] for k in range(_ROWS)]


def _picture(path: Path) -> str:
    """An image file as a data URI, scaled down."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_WIDTH, small.height))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()

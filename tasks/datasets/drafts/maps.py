"""A first map from a folder's labels to a taxonomy's classes, as YAML to be completed by hand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tasks.datasets.drafts.layout import Layout
from tasks.datasets.images import read_label
from tasks.datasets.masks import IGNORE
from tasks.datasets.taxonomy import Taxonomy

_READ = 500  # masks that are looked at
_MOST = 256  # values that a draft lists; labels have fewer
Value = int | tuple[int, int, int]


def draft_map(layout: Layout, taxonomy: Taxonomy) -> str:
    """The map's YAML: every value that the masks have, and every name that the boxes have.

    A value becomes the class of its name in the list of classes, or of its colour; without a list, ids that are all
    positions of the taxonomy's classes become these, and the file says that this is a guess. What remains is ignored.

    Raises:
        ImageError: a mask cannot be read.
    """
    lines = [f"# What the labels below {layout.root} become in {taxonomy.name}: a first draft, to be completed."]
    lines += ["# A class without a value cannot occur in the set. A value that stands nowhere here is an error."]
    if files := layout.mask_files():
        lines += _masks(layout, taxonomy, files)
    if layout.boxes is not None:
        lines += _boxes(layout, taxonomy)
    return "\n".join(lines) + "\n"


def _masks(layout: Layout, taxonomy: Taxonomy, files: list[Path]) -> list[str]:
    looked = files[:: -(-len(files) // _READ)]
    pixels, images = _counted(looked)
    kind = "index" if all(isinstance(v, int) for v in pixels) else "color"
    classes, guess = _classes(layout, taxonomy, pixels)
    lines = [
        f"masks:  # {len(pixels)} values in the {len(looked)} of {len(files)} masks that were looked at",
        f"  kind: {kind}",
    ]
    if guess:
        lines.append(f"  # {guess}")
    lines.append("  values:")
    by_class: dict[str, list[Value]] = {}
    for value in sorted(classes):
        by_class.setdefault(classes[value], []).append(value)
    total = sum(pixels.values())
    for name in (c.name for c in taxonomy.classes if c.name in by_class):
        values = by_class[name]
        share = 100 * sum(pixels[v] for v in values) / total
        seen = max(images[v] for v in values)
        lines.append(f"    {name}: [{', '.join(map(_text, values))}]  # {share:.2f} % of the pixels, in {seen} masks")
    if absent := [c.name for c in taxonomy.classes if c.name not in by_class]:
        lines.append(f"    # without a value: {', '.join(absent)}")
    return [*lines, *_ignored(layout, pixels, images, classes)]


def _ignored(layout: Layout, pixels: Counter[Value], images: Counter[Value], classes: dict[Value, str]) -> list[str]:
    """The values that are none of the classes, as far as a person could go through them."""
    rest = Counter({v: n for v, n in pixels.items() if v not in classes}).most_common()
    if not rest:
        return ["  ignore: []"]
    lines = ["  # Move what is one of the classes up to it:", "  ignore:"]
    if len(rest) > _MOST:
        doubt = "do these files hold labels, not photographs or instances, and were they saved without loss (no JPEG)?"
        lines.insert(0, f"  # Only the {_MOST} most frequent of {len(rest)} values without a class are listed: {doubt}")
    for value, count in sorted(rest[:_MOST]):
        share, named = 100 * count / pixels.total(), _name(layout, value)
        told = f", {named!r} in the list of classes" if named else ""
        lines.append(f"    - {_text(value)}  # {share:.2f} % of the pixels, in {images[value]} masks{told}")
    return lines


def _counted(files: Iterable[Path]) -> tuple[Counter[Value], Counter[Value]]:
    """Value -> its pixels, and the masks that have it."""
    pixels: Counter[Value] = Counter()
    images: Counter[Value] = Counter()
    for path in files:
        label = read_label(path)
        flat = label.reshape(-1) if label.ndim == 2 else label.reshape(-1, label.shape[2])
        values, counts = np.unique(flat, axis=0, return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            key: Value = value if isinstance(value, int) else (value[0], value[1], value[2])
            pixels[key] += count
            images[key] += 1
    return pixels, images


def _classes(layout: Layout, taxonomy: Taxonomy, values: Iterable[Value]) -> tuple[dict[Value, str], str | None]:
    """Value -> class, and how that was guessed where nothing says it."""
    names = {_plain(c.name): c.name for c in taxonomy.classes}
    if layout.classes:
        named = {v: names.get(_plain(_name(layout, v))) for v in values}
        return {v: name for v, name in named.items() if name is not None}, None
    colors: dict[Value, str] = {c.color: c.name for c in taxonomy.classes}
    if found := {v: colors[v] for v in values if v in colors}:
        return found, f"By the colours of {taxonomy.name}."
    ids = [v for v in values if isinstance(v, int) and v != IGNORE]
    if ids and max(ids) < len(taxonomy.classes):
        guess = (
            f"A guess: nothing says what the ids mean, so they are taken for positions in {taxonomy.name}. Check it."
        )
        return {v: taxonomy.classes[v].name for v in ids}, guess
    return {}, "Nothing says what the values mean: give a list of classes (init --classes FILE), or fill in by hand."


def _boxes(layout: Layout, taxonomy: Taxonomy) -> list[str]:
    known = {_plain(name): name for name in (*taxonomy.detection, *taxonomy.more_detection)}
    lines = [f"boxes:  # null: none of {', '.join(known.values())}"]
    for name in layout.objects:
        lines.append(f"  {_quoted(name)}: {known.get(_plain(name), 'null')}")
    return lines if layout.objects else ["boxes: {}"]


def _name(layout: Layout, value: Value) -> str:
    return layout.classes[value] if isinstance(value, int) and value < len(layout.classes) else ""


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().lower()


def _text(value: Value) -> str:
    return str(value if isinstance(value, int) else list(value))


def _quoted(name: str) -> str:
    return (
        name
        if re.fullmatch(r"[A-Za-z][\w ]*", name) and name.lower() not in {"null", "true", "false", "yes", "no"}
        else f'"{name}"'
    )

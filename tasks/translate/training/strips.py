"""One picture of a training: the same images over its steps."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.datasets import read_image
from tasks.store import write_png
from tasks.translate.methods.base import Image

Panels = list[tuple[Image, Image, Image]]  # source, translated, nearest target image

_COLUMNS = "validation"  # the folder of what the strip is put together from
_ROWS = 3
_STEPS = 6  # columns, at most
_WIDTH = 200  # pixels of a panel
_GAP = 4  # pixels between panels
_HEADER = 20  # pixels above them, for a column's step
_GREY, _MARK = 110, (20, 130, 60)


def shown_rows(count: int) -> list[int]:
    """Which of the fixed images are shown: from all over them, for neighbours in a drive look alike."""
    rows = min(_ROWS, count)
    return [(2 * k + 1) * count // (2 * rows) for k in range(rows)]


def write_column(folder: Path, step: int, panels: Panels) -> None:
    """Write what a strip may show of a step: rows ``source | translated | nearest target``, in ``folder``."""
    height, width = panels[0][0].shape[:2]
    size = (_WIDTH, max(1, round(height * _WIDTH / width)))
    rows = [np.concatenate([_scaled(p, size) for p in row], axis=1) for row in panels]
    write_png(_column(folder, step), np.concatenate(rows))


def write_strip(path: Path, steps: Sequence[int], kept: int) -> None:
    """Write the strip: the source, its translations after some of the steps, and the target image nearest at the end.

    Above a translation stands its step, in green that of the kept one. The nearest target image is the one whose
    features are nearest those of the kept translation.

    Args:
        path: the strip's file, in the folder of the columns.
        steps: of all validations, in order; that of the source itself, 0, first.
        kept: one of them.
    """
    shown = _shown(steps[1:], kept)
    thirds = {step: np.hsplit(read_image(_column(path.parent, step)), 3) for step in {*shown, kept}}
    columns = [_headed(thirds[kept][0], None)]
    columns += [_headed(thirds[step][1], step, kept=step == kept) for step in shown]
    columns += [_headed(thirds[kept][2], None)]
    write_png(path, np.concatenate(columns, axis=1))


def remove_columns(folder: Path) -> None:
    """Delete what ``write_column`` left: the training is finished."""
    shutil.rmtree(folder / _COLUMNS, ignore_errors=True)


def _shown(steps: Sequence[int], kept: int) -> list[int]:
    """Some of the steps: the first, the last and the kept one among them."""
    count = min(_STEPS, len(steps))
    some = {steps[round(k * (len(steps) - 1) / max(1, count - 1))] for k in range(count)}
    if kept not in some and len(some) == _STEPS:
        some.remove(min(some - {steps[0], steps[-1]}, key=lambda step: abs(step - kept)))
    return sorted(some | {kept})


def _headed(column: Image, step: int | None, kept: bool = False) -> Image:
    headed = np.pad(column, ((_HEADER, 0), (0, _GAP), (0, 0)), constant_values=255)
    if step is not None:
        colour = _MARK if kept else (_GREY,) * 3
        cv2.putText(headed, str(step), (2, _HEADER - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    if kept:
        headed[_HEADER - 4 : _HEADER - 1, :-_GAP] = _MARK
    return headed


def _scaled(image: Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    shrinks = image.shape[1] > size[0]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _column(folder: Path, step: int) -> Path:
    return folder / _COLUMNS / f"{step:08d}.png"

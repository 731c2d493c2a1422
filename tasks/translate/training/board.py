"""Loss curves and sample grids for TensorBoard.

Event files hold times and machine names, so they never lie in an artifact: its digest would change from run to run.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.contracts import Validated
from tasks.datasets import read_image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

log = logging.getLogger(__name__)


class Board:
    """Writes a training's event files; without a folder, does nothing.

    Args:
        folder: where to; a resumed training adds to what lies there.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def begin(self, step: int) -> None:
        """Go on after ``step`` steps: what earlier files say of later steps is void."""
        self.close()
        if self._folder is not None:
            from torch.utils.tensorboard import SummaryWriter  # slow, and seldom needed

            self._writer = SummaryWriter(self._folder, purge_step=step + 1)  # type: ignore[no-untyped-call]
            log.info("loss curves: tensorboard --logdir %s", self._folder)

    def losses(self, step: int, values: dict[str, float]) -> None:
        """Add a line of the losses' log."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(f"loss/{name}", value, step)  # type: ignore[no-untyped-call]

    def validation(self, validated: Validated) -> None:
        """Add what a validation found."""
        if self._writer is not None:
            for name, value in validated.model_dump(exclude={"step"}, exclude_none=True).items():
                self._writer.add_scalar(f"validation/{name}", value, validated.step)  # type: ignore[no-untyped-call]

    def samples(self, step: int, grid: Path, tag: str = "samples") -> None:
        """Add a grid of sample translations."""
        if self._writer is not None:
            self._writer.add_image(tag, read_image(grid), step, dataformats="HWC")  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()  # type: ignore[no-untyped-call]
            self._writer = None

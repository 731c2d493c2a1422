"""``sim2real translator``: what can be done with a trained translator by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.cli.status import FINE

app = App(name="translator", help="Use a trained translator elsewhere.")


@app.command
def export(
    folder: Annotated[Path, Parameter(help="A translator's artifact: card.json and weights.safetensors.")],
    out: Annotated[Path, Parameter(help="The ONNX file.")],
    /,
) -> int:
    """Write a trained generator as ONNX, once onnxruntime has agreed with PyTorch.

    Example: `sim2real translator export .store/translator/KEY generator.onnx`
    """
    from tasks.translate import export_onnx

    difference = export_onnx(folder, out)
    print(f"{out}: agrees with PyTorch to {difference:.1g}")
    return FINE

"""``python -m tasks.translate export FOLDER OUT.onnx``: what can be done with a trained translator by hand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks.store import StoreError
from tasks.translate.export import ExportError, export_onnx
from tasks.translate.networks.weights import WeightsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, or 1 where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m tasks.translate", description=__doc__)
    commands = parser.add_subparsers(required=True)
    text = "write a trained generator as ONNX"
    export = commands.add_parser("export", help=text, description=text)
    export.add_argument("folder", type=Path, help="a translator's artifact: card.json and weights.safetensors")
    export.add_argument("out", type=Path, help="the ONNX file")
    options = parser.parse_args(arguments)
    try:
        difference = export_onnx(options.folder, options.out)
    except (ExportError, StoreError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: agrees with PyTorch to {difference:.1g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``sim2real translator``: what can be done with a trained translator by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flows.cli.status import FINE

app = App(name="translator", help="Take a trained translator elsewhere, or bring one here.")


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


@app.command(name="import")
def import_(
    weights: Annotated[Path, Parameter(help="A generator's weights.safetensors, or the artifact's folder.")],
    to: Annotated[Path, Parameter(help="The YAML file to write, which must not exist.")],
    /,
    *,
    name: Annotated[str | None, Parameter(help="Of the translator; the YAML file's if absent.")] = None,
) -> int:
    """Write the configuration of a translator that uses somebody's trained generator, once that could be loaded.

    Example: `sim2real translator import weights.safetensors configs/translators/theirs.yaml`
    """
    import yaml

    from tasks.settings import ConfigError
    from tasks.store import atomic_path
    from tasks.translate import import_generator

    if to.exists():
        raise ConfigError(f"{to}: exists already; name another file, or move it away first")
    section = import_generator(weights, name or to.stem)
    with atomic_path(to) as temporary:
        temporary.write_text(yaml.safe_dump({"translator": section}, sort_keys=False), encoding="utf-8")
    print(f"written: {to}; in a pipeline's translate.translators: !include {to.absolute()}#translator")
    return FINE

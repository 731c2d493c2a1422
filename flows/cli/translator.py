"""``sim2real translator``: what can be done with a trained translator by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from flows.cli.status import FINE

Method = Literal["cut", "cyclegan", "vsait", "decent", "srunit"]

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
    weights: Annotated[Path, Parameter(help="A file of weights, or the folder of a translator's artifact.")],
    /,
    to: Annotated[Path, Parameter(help="What to write: a YAML file, or safetensors with one beside; none may exist.")],
    *,
    as_: Annotated[Method | None, Parameter(name="--as", help="Whose authors' program made the weights.")] = None,
    network: Annotated[str | None, Parameter(help="Which generator of a file that holds several.")] = None,
    name: Annotated[str | None, Parameter(help="Of the translator; the written file's if absent.")] = None,
) -> int:
    """Write the configuration of a translator that uses somebody's trained generator, once that could be loaded.

    Without `--as`, the weights are this pipeline's own, and stay where they are. With it, they are the state dict
    of the authors' program: what fits is written anew as safetensors, beside the YAML file.

    Example: `sim2real translator import weights.safetensors configs/translators/theirs.yaml`

    Example: `sim2real translator import latest_net_G.pth --as cut --to theirs.safetensors`
    """
    import yaml

    from tasks.settings import ConfigError
    from tasks.store import atomic_path
    from tasks.translate import convert_weights, import_generator

    if as_ is None and to.suffix == ".safetensors":
        raise ConfigError(f"{to}: say with --as whose program made {weights}, or name a YAML file for one of your own")
    section, converted = to.with_suffix(".yaml") if as_ else to, to.with_suffix(".safetensors")
    for file in (section, converted) if as_ else (section,):
        if file.exists():
            raise ConfigError(f"{file}: exists already; name another file, or move it away first")
    if as_:
        convert_weights(weights, as_, converted, network)
        weights = converted
        print(f"written: {converted}")
    values = import_generator(weights, name or to.stem)
    with atomic_path(section) as temporary:
        temporary.write_text(yaml.safe_dump({"translator": values}, sort_keys=False), encoding="utf-8")
    print(f"written: {section}; in a pipeline's translate.translators: !include {section.absolute()}#translator")
    return FINE

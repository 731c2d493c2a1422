"""Generators that a method's authors published, or their program trained, as files of this pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tasks.store import UnreadableWeights, read_weights
from tasks.translate.errors import WeightsError
from tasks.translate.networks.resnet import ResnetGenerator
from tasks.translate.networks.weights import read_tensors, save_weights
from tasks.translate.published.layouts import METHODS, GeneratorLayout, layout_of, stem_of

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of InstanceNorm in PyTorch before 0.4; unused
_DEEPEST = 9  # names of dictionaries in a tensor's
_LONGEST = 100  # characters of a name
_SHOWN = 4  # names in a message


def convert_weights(path: Path, method: str, to: Path, network: str | None = None) -> dict[str, Any]:
    """Write the generator of a file of a method's authors as one of this pipeline.

    Channels, residual blocks and the way down and up are taken from the layers' names and shapes.

    Args:
        path: a file of ``torch.save`` or safetensors: a state dict, or dictionaries that hold several; names may begin
            with ``module.`` or a network's name.
        method: whose program made it: ``cut``, ``cyclegan``, ``decent``, ``srunit`` or ``vsait``.
        to: the safetensors file to write.
        network: which of several generators in the file, by the name that they are told with.

    Returns:
        What it is made for, as ``Learned.architecture()``.

    Raises:
        WeightsError: the file cannot be read, names code that reading it would run, or holds no such generator, several
            and none is named, or layers that differ; the message names file and layer.
    """
    tensors = _one_of(path, method, _tensors(path), network)
    layout = layout_of(method, tensors)
    if not layout.blocks:
        raise WeightsError(f"{path}: no generator of {method}: it has no residual block behind {stem_of(method)}")
    stem = tensors[f"{stem_of(method)}.weight"]
    size = {"channels": len(stem), "blocks": layout.blocks, "skip": False, "resampling": layout.resampling}
    if problems := list(_problems(tensors, layout, size)):
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        expected = f"{size['channels']} channels, {size['blocks']} block(s), resampling {size['resampling']}"
        raise WeightsError(f"{path}: {problems[0]}{more}, for a generator of {method} with {expected}")
    ours = {
        f"{name}.{part}": tensors[f"{theirs}.{part}"].float()
        for theirs, name in layout.layers.items()
        for part in ("weight", "bias")
    }
    made_for = {"method": method, "generator": size}
    save_weights(to, ours, made_for)
    return made_for


def _tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file by their dotted names."""
    if path.suffix == ".safetensors":
        return {_printed(name): tensor for name, tensor in read_tensors(path).items()}
    try:
        return dict(_flat(read_weights(path), "", set()))
    except UnreadableWeights as error:
        raise WeightsError(str(error)) from error


def _flat(values: Mapping[Any, Any], prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """What dictionaries hold, each once: they may hold each other, and themselves."""
    seen.add(id(values))
    for key, value in values.items():
        if isinstance(value, Tensor):
            yield prefix + _printed(key), value
        elif isinstance(value, Mapping) and id(value) not in seen and prefix.count(".") < _DEEPEST:
            yield from _flat(value, f"{prefix}{_printed(key)}.", seen)


def _printed(key: Any) -> str:
    """A name that fits into a line."""
    name = str(key) if str(key).isprintable() else repr(key)
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}..."


def _one_of(path: Path, method: str, tensors: dict[str, Tensor], network: str | None) -> dict[str, Tensor]:
    """The tensors of the one generator that is meant, named from its own root."""
    prefixes = {_told(prefix): prefix for prefix in _generators(tensors, method)}
    if not prefixes:
        raise WeightsError(f"{path}: {_what_it_is(tensors, method)}")
    if network is None and len(prefixes) > 1:
        raise WeightsError(f"{path}: holds several generators, {_named(prefixes)}: say which with --network")
    if network is not None and network not in prefixes:
        raise WeightsError(f"{path}: holds no generator {network}, but {_named(prefixes)}")
    prefix = prefixes[network] if network is not None else next(iter(prefixes.values()))
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _named(names: Iterable[str]) -> str:
    told = [name or "one without a name" for name in names]
    return ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")


def _generators(tensors: Mapping[str, Tensor], method: str) -> list[str]:
    """What stands before the first convolution's name, wherever there is one of 7x7."""
    stem = f"{stem_of(method)}.weight"
    found = (n for n, t in tensors.items() if f".{n}".endswith(f".{stem}") and t.shape[2:] == (7, 7))
    return [name.removesuffix(stem) for name in found]


def _told(prefix: str) -> str:
    return ".".join(part for part in prefix.split(".") if part not in ("", "module", "state_dict"))


def _what_it_is(tensors: Mapping[str, Tensor], method: str) -> str:
    """What is in a file without a generator of a method, as far as that can be told."""
    if not tensors:
        return "holds no tensors"
    wanted = f"no generator of {method}: it has no layer {stem_of(method)}.weight of 7x7"
    if others := [m for m in METHODS if _generators(tensors, m)]:
        return f"{wanted}, but the layers of {' or '.join(others)}: say that with --as"
    name, first = next(((n, t) for n, t in tensors.items() if t.dim() == 4), next(iter(tensors.items())))
    guess = "; a discriminator begins like that" if first.shape[2:] == (4, 4) and first.shape[1] <= 6 else ""
    return f"{wanted}; its first layer is {name} {list(first.shape)}{guess}"


def _problems(tensors: Mapping[str, Tensor], layout: GeneratorLayout, size: dict[str, Any]) -> Iterator[str]:
    """In what a file differs from a generator of this layout, layer by layer."""
    with torch.device("meta"):
        wanted = ResnetGenerator(**size).state_dict()
    named = {f"{theirs}.{p}": f"{ours}.{p}" for theirs, ours in layout.layers.items() for p in ("weight", "bias")}
    for theirs, ours in named.items():
        shape = list(wanted[ours].shape)
        if (found := tensors.get(theirs)) is None:
            yield f"layer {theirs} {shape} is missing"
        elif list(found.shape) != shape:
            yield f"layer {theirs} is {list(found.shape)} instead of {shape}"
        elif not _numbers(found):
            yield f"layer {theirs} holds {found.dtype} of layout {found.layout}, and no plain numbers"
        elif not found.isfinite().all():
            yield f"layer {theirs} holds values that are not finite"
    for name, kernel in layout.filters.items():
        if (found := tensors.get(name)) is not None and not _same_filter(found, kernel):
            yield f"layer {name} is another filter than the published one"
    for name in tensors:
        known = name in named or name in layout.filters or name.rsplit(".", 1)[-1] in _STATISTICS
        if not known:
            yield f"layer {name} {list(tensors[name].shape)} is none of its layers{_norm(tensors[name])}"


def _same_filter(found: Tensor, kernel: Tensor) -> bool:
    alike = found.shape[2:] == kernel.shape and _numbers(found)
    return alike and bool(torch.allclose(found.float(), kernel.expand_as(found), atol=1e-3))


def _numbers(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.layout == torch.strided and tensor.device.type == "cpu"


def _norm(tensor: Tensor) -> str:
    return " (a norm with weights of its own, where InstanceNorm has none)" if tensor.dim() == 1 else ""

"""What a trained model is run with: ``config.py`` beside its weights, which is data and is never executed."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

from tasks.contracts.filed import Filed

_TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_TEXT = re.compile(r"[\w .:+-]*")  # what no library would call as an expression, and names no file elsewhere
_FILES = re.compile(
    r"\.(py|pyc|pth?|ckpt|pkl|pickle|bin|json|ya?ml|np[yz]|zip|tar|so|safetensors|onnx)$", re.IGNORECASE
)
_INITIAL = ("init_cfg", "pretrained")  # where a training began: its weights are loaded over it


class ModelConfig(Filed):
    """The part of a network's mmengine configuration that inference needs; the room ``retrain`` writes it.

    It lies beside the weights as Python, for those who take a model elsewhere, where mmengine runs it. Here its
    assignments are read as literals, and it may name parts of networks alone: a store is data.

    Attributes:
        model, test_pipeline: as mmengine has them, without what a training began with.
        input_size: width and height that images are resized to, in pixels.
    """

    FILE: ClassVar[str] = "config.py"

    model: dict[str, Any]
    test_pipeline: list[dict[str, Any]]
    input_size: tuple[int, int]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the file of a folder.

        Raises:
            OSError: there is none, or it cannot be read.
            ValueError: it is of another form, or names what is no part of a network.
        """
        path = folder / cls.FILE
        text = path.read_text(encoding="utf-8")
        try:
            found = cls.model_validate(dict(_assignments(text)))
            found.check()
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            raise ValueError(f"{path} is no configuration that this pipeline wrote: {error}") from error
        return found.model_copy(
            update={"model": _without_initial(found.model), "test_pipeline": _without_initial(found.test_pipeline)}
        )

    def check(self) -> None:
        """Look for what would run somebody's code, or read somebody's files, where the network is built.

        Raises:
            ValueError: there is some; the message says what.
        """
        check_parts([self.model, self.test_pipeline])
        for key, value in _texts(_without_initial([self.model, self.test_pipeline])):
            if key != "type" and (not _TEXT.fullmatch(value) or _FILES.search(value)):
                raise ValueError(f"{key}: {value[:80]!r} is no setting of a network, but a file or an expression")


def check_parts(node: Any) -> None:
    """Look through a network's settings, or overrides of them by dotted key, for what would run somebody's code.

    Raises:
        ValueError: a ``type`` is no part of a network, a text is an expression, or a module is to be imported.
    """
    for key, value in _texts(node):
        name = key.rpartition(".")[2]
        if name == "type":
            _check_type(value)
        elif "(" in value or "__" in value or "custom_imports" in value:
            raise ValueError(f"{key}: {value[:80]!r} would run or import something")


def _assignments(text: str) -> Iterator[tuple[str, Any]]:
    for statement in ast.parse(text).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, _literal(value)
            case _:
                raise ValueError(f"line {statement.lineno} is no assignment")


def _literal(node: ast.expr) -> Any:
    """The value of a literal, as mmengine writes it: ``dict(a=1)``, ``dict({1: 2})`` and ``inf`` are literals here."""
    match node:
        case ast.Call(func=ast.Name(id="dict"), args=[ast.Dict() as whole], keywords=[]):
            return _literal(whole)
        case ast.Name(id="inf" | "nan" as name):
            return float(name)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords) if all(k.arg for k in keywords):
            return {k.arg: _literal(k.value) for k in keywords}
        case ast.Dict(keys=keys, values=values) if all(keys):
            return {_literal(k): _literal(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.List(elts=parts):
            return [_literal(part) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(_literal(part) for part in parts)
        case _:
            try:
                return ast.literal_eval(node)
            except ValueError:
                raise ValueError(f"line {node.lineno} has what is no literal") from None


def _without_initial(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_initial(value) for key, value in node.items() if key not in _INITIAL}
    return [_without_initial(part) for part in node] if isinstance(node, list) else node


def _texts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts below a node, keys too, with the key that each stands under."""
    if isinstance(node, str):
        yield key, node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from _texts(name, "a key")
            yield from _texts(value, str(name))
    elif isinstance(node, list | tuple | set):
        for part in node:
            yield from _texts(part, key)


def _check_type(name: str) -> None:
    """Raises ValueError where mmengine would import or call what is no part of a network by this name."""
    if not _TYPE.fullmatch(name):
        raise ValueError(f"type {name[:80]!r} is no name")
    if "." not in name:
        if importlib.util.find_spec(name) is not None:  # what is not registered, mmengine takes for a module
            raise ValueError(f"type {name!r} is a Python module, and no part of a network")
    elif name.partition(".")[0] in sys.stdlib_module_names or "__" in name or not _is_part(name):
        raise ValueError(f"type {name!r} is no part of a network")


def _is_part(name: str) -> bool:
    """Whether a dotted name is a layer, transform or part of a training of an installed package.

    One of a registry (``mmdet.ResNet``) is no name of Python's at all.
    """
    from mmcv.transforms import BaseTransform
    from mmengine.hooks import Hook
    from mmengine.optim import OptimWrapper, _ParamScheduler
    from mmengine.utils import get_object_from_string
    from torch import nn, optim

    bases = (nn.Module, BaseTransform, optim.Optimizer, OptimWrapper, _ParamScheduler, Hook)
    found = get_object_from_string(name)
    return found is None or (isinstance(found, type) and issubclass(found, bases))

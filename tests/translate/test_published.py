"""State dicts as the methods' authors' programs save them, translated as plain PyTorch of the description does."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
import yaml
from pydantic import TypeAdapter
from torch import nn

from flows.cli.app import invoke
from flows.cli.translator import Method
from tasks.store.digest import file_sha256
from tasks.translate.config import Translator
from tasks.translate.methods.base import Resources, method_module
from tasks.translate.published.layouts import METHODS
from tests.translate.published_networks import Sequential, Vsait, discriminator

State = dict[str, Any]


def under(prefix: str, network: nn.Module) -> State:
    return {prefix + name: value for name, value in network.state_dict().items()}


def lightning(network: nn.Module) -> State:
    """What Lightning saves of VSAIT: all its networks, and what a resume needs."""
    other = {
        "model.d_net.net.0.net.0.conv.weight": torch.ones(4, 8, 1, 1),
        "model.g_net_map.0.0.conv.bias": torch.ones(8),
    }
    callbacks = {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.5), "dirpath": "checkpoints"}}
    optimiser = {"state": {0: {"step": torch.tensor(3), "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4}]}
    state = OrderedDict({**under("model.g_net.", network), **other})
    return {"epoch": 3, "state_dict": state, "callbacks": callbacks, "optimizer_states": [optimiser], "loops": {}}


def with_statistics(network: Sequential) -> State:
    """As PyTorch before 0.4 kept them of InstanceNorm; nothing ever used them."""
    norms = {f"model.{k}" for k, layer in enumerate(network.model) if isinstance(layer, nn.InstanceNorm2d)}
    kept = {
        "running_mean": torch.zeros(4),
        "running_var": torch.full((4,), 9.0),
        "num_batches_tracked": torch.tensor(7),
    }
    return network.state_dict() | {f"{norm}.{name}": value for norm in norms for name, value in kept.items()}


def imported(tmp_path: Path, content: State, method: str, *more: str) -> dict[str, Any]:
    """The section that an import of this content writes."""
    torch.save(content, tmp_path / "theirs.pth")
    out = tmp_path / "out.safetensors"
    assert invoke(["translator", "import", str(tmp_path / "theirs.pth"), "--as", method, "--to", str(out), *more]) == 0
    section = yaml.safe_load((tmp_path / "out.yaml").read_text())["translator"]
    assert section["weights"] == {"path": str(out), "sha256": file_sha256(out)}
    assert "training" not in section
    return section


def differ(section: dict[str, Any], network: nn.Module) -> int:
    """The largest difference of an 8-bit value between the imported translator and their network."""
    config = TypeAdapter(Translator).validate_python(section)
    translator = method_module(config.method).load(config, Resources(weights=config.weights.path))
    image = np.random.default_rng(0).integers(0, 256, (48, 60, 3)).astype(np.uint8)
    with torch.inference_mode():
        made = network.eval()(torch.tensor(image / 127.5 - 1, dtype=torch.float32).permute(2, 0, 1)[None])
    expected = ((made[0].permute(1, 2, 0).numpy() + 1) * 127.5).round()
    assert expected.std() > 10, "a picture, and no flat area"
    return int(np.abs(translator([image], ["a"])[0] - expected).max())


@pytest.mark.parametrize("method", ["cut", "srunit", "decent"])
def test_cut_and_what_is_built_on_it(tmp_path: Path, method: str) -> None:
    network = Sequential(6, 2)
    section = imported(tmp_path, network.state_dict(), method)
    assert section["method"] == method
    assert section["generator"] == {"channels": 6, "blocks": 2, "skip": False, "resampling": "blur"}
    assert differ(section, network) <= 1


@pytest.mark.parametrize("form", ["plain", "module", "old", "dropout", "half"])
def test_cyclegan(tmp_path: Path, form: str) -> None:
    network = Sequential(stride=True, dropout=form == "dropout")
    content = {
        "module": under("module.", network),
        "old": with_statistics(network),
        "half": {n: t.half() for n, t in network.state_dict().items()},
    }.get(form, network.state_dict())
    if form == "half":
        network.load_state_dict(content)
    section = imported(tmp_path, content, "cyclegan")
    assert section["generator"]["resampling"] == "stride"
    assert differ(section, network) <= 1


def test_both_directions_in_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, back = Sequential(stride=True), Sequential(stride=True)
    content = {"netG_A": under("module.", there), "netG_B": under("module.", back)}
    content |= {"netD_A": discriminator().state_dict()}
    assert differ(imported(tmp_path, content, "cyclegan", "--network", "netG_B"), back) <= 1
    for more, told in (
        ([], "several generators, netG_A, netG_B: say which"),
        (["--network", "x"], "no generator x, but"),
    ):
        to = ["--to", str(tmp_path / "other.yaml"), *more]
        assert invoke(["translator", "import", str(tmp_path / "theirs.pth"), "--as", "cyclegan", *to]) == 1
        assert told in capsys.readouterr().err


@pytest.mark.parametrize("blocks", [2, 3])
@pytest.mark.parametrize("form", ["plain", "g_net", "lightning"])
def test_vsait(tmp_path: Path, blocks: int, form: str) -> None:
    network = Vsait(blocks=blocks)
    content = {"g_net": under("g_net.", network), "lightning": lightning(network)}.get(form, network.state_dict())
    section = imported(tmp_path, content, "vsait")
    assert section["generator"] == {"channels": 4, "blocks": blocks, "skip": False, "resampling": "gaussian"}
    assert "features" not in section
    assert differ(section, network) <= 1


def test_cut_without_blurs_and_a_safetensors_file(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    network = Sequential(stride=True)
    save_file(network.state_dict(), tmp_path / "theirs.safetensors")
    arguments = [
        "translator",
        "import",
        str(tmp_path / "theirs.safetensors"),
        str(tmp_path / "mine.yaml"),
        "--as",
        "cut",
    ]
    assert invoke(arguments) == 0
    section = yaml.safe_load((tmp_path / "mine.yaml").read_text())["translator"]
    assert (section["name"], section["weights"]["path"]) == ("mine", str(tmp_path / "mine.safetensors"))
    assert differ(section, network) <= 1


class Planted:
    """Runs a function when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def changed(**tensors: torch.Tensor | None) -> State:
    """A CUT generator's state dict with some layers exchanged, or left out; ``_`` stands for a dot."""
    state = Sequential().state_dict() | {n.replace("__", "."): t for n, t in tensors.items()}
    return {name: t for name, t in state.items() if t is not None}


def nested(levels: int) -> State:
    return {"more": nested(levels - 1)} if levels else Sequential().state_dict()


def within_itself() -> State:
    content: State = {}
    content |= {f"again{k}": content for k in range(100)}
    return content


def strided_down_alone() -> State:
    """CUT's generator with ``--no_antialias`` and without ``--no_antialias_up``: none that there is here."""
    down, up = Sequential(stride=True).state_dict(), Sequential().state_dict()
    kept = {name: t for name, t in down.items() if int(name.split(".")[1]) < 13}
    behind = ((name.split(".", 2), t) for name, t in up.items())
    return kept | {f"model.{int(k) - 2}.{rest}": t for (_, k, rest), t in behind if int(k) >= 15}


OF_CUT = "for a generator of cut with 4 channels, 3 block(s), resampling blur"
WRONG: dict[str, tuple[str, Any, str]] = {
    "empty": ("cut", {}, "holds no tensors"),
    "numbers": ("cut", {"epoch": 3}, "holds no tensors"),
    "deep": ("cut", nested(12), "holds no tensors"),
    "itself": ("cut", within_itself(), "holds no tensors"),
    "names": ("cut", {"a\nb" + 200 * "c": torch.ones(2)}, "its first layer is 'a\\nbccc"),
    "sparse": (
        "cut",
        changed(model__4__weight=torch.ones(8, 4, 3, 3).to_sparse()),
        "layer model.4.weight holds torch.float32 of layout torch.sparse_coo, and no plain numbers",
    ),
    "integers": ("cut", changed(model__4__bias=torch.ones(8, dtype=torch.int64)), "model.4.bias holds torch.int64 of"),
    "many": (
        "cut",
        {f"g{k}": Sequential().state_dict() for k in range(6)},
        "several generators, g0, g1, g2, g3 and 2 more",
    ),
    "list": ("cut", [torch.ones(2)], "holds a list, not tensors by name"),
    "discriminator": (
        "cut",
        discriminator().state_dict(),
        "no layer model.1.weight of 7x7; its first layer is model.0.weight [4, 3, 4, 4]; a discriminator begins",
    ),
    "vsait as cut": (
        "cut",
        Vsait().state_dict(),
        "no generator of cut: it has no layer model.1.weight of 7x7, but the layers of vsait: say that with --as",
    ),
    "cut as vsait": (
        "vsait",
        Sequential().state_dict(),
        "no layer encoder.net.0.conv.weight of 7x7, but the layers of cut or",
    ),
    "another shape": (
        "cut",
        changed(model__8__weight=torch.ones(16, 8, 5, 5)),
        f"layer model.8.weight is [16, 8, 5, 5] instead of [16, 8, 3, 3], {OF_CUT}",
    ),
    "grey": (
        "cut",
        changed(model__1__weight=torch.ones(4, 1, 7, 7)),
        "layer model.1.weight is [4, 1, 7, 7] instead of [4, 3, 7, 7]",
    ),
    "a layer less": (
        "cut",
        changed(model__24__weight=None),
        f"layer model.24.weight [3, 4, 7, 7] is missing, {OF_CUT}",
    ),
    "a layer more": (
        "cut",
        changed(model__30__weight=torch.ones(2, 2)),
        "layer model.30.weight [2, 2] is none of its layers",
    ),
    "BatchNorm": (
        "cut",
        changed(model__2__weight=torch.ones(4)),
        "model.2.weight [4] is none of its layers (a norm with weights",
    ),
    "another filter": (
        "cut",
        changed(model__7__filt=torch.ones(8, 1, 3, 3) / 9),
        "layer model.7.filt is another filter",
    ),
    "not a number": (
        "cut",
        changed(model__4__bias=torch.full((8,), torch.nan)),
        "layer model.4.bias holds values that are not finite",
    ),
    "a scalar": ("cut", changed(model__1__weight=torch.tensor(1.0)), "no layer model.1.weight of 7x7"),
    "no block": ("cut", Sequential(blocks=0).state_dict(), "no residual block"),
    "strided down, blurred up": (
        "cut",
        strided_down_alone(),
        "layer model.13.weight [16, 8, 3, 3] is missing (and 13 more), for a generator of cut with 4 channels, "
        "3 block(s), resampling stride",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_told_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    method, content, told = WRONG[wrong]
    torch.save(content, tmp_path / "theirs.pth")
    assert_told(tmp_path, method, told, capsys)


def test_a_file_that_is_cut_off_or_runs_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "theirs.pth"
    torch.save(Sequential().state_dict() | {"more": Planted(tmp_path / "made")}, path)
    assert_told(tmp_path, "cut", "names posix.mkdir, which reading it would run", capsys)
    assert not (tmp_path / "made").exists()
    torch.save(Sequential().state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])
    assert_told(tmp_path, "cut", "cannot be read as tensors alone", capsys)
    path.unlink()
    assert_told(tmp_path, "cut", "cannot be read as tensors alone: [Errno 2]", capsys)


def assert_told(tmp_path: Path, method: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An import of ``theirs.pth`` fails with one line that names the file, and leaves nothing."""
    path, out = tmp_path / "theirs.pth", tmp_path / "out.safetensors"
    assert invoke(["translator", "import", str(path), "--as", method, "--to", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(str(path))
    assert told in line
    assert not list(tmp_path.glob("out.*"))


def test_the_command_takes_every_method_whose_layout_is_known() -> None:
    assert set(get_args(Method)) == set(METHODS)


def test_nothing_is_overwritten_and_own_files_need_no_conversion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(Sequential().state_dict(), tmp_path / "theirs.pth")
    for name in ("out.yaml", "out.safetensors"):
        (tmp_path / name).write_text("kept")
        arguments = ["translator", "import", str(tmp_path / "theirs.pth"), str(tmp_path / "out.safetensors")]
        assert invoke([*arguments, "--as", "cut"]) == 2
        assert f"{name}: exists already" in capsys.readouterr().err
        assert invoke(arguments) == 2
        assert "say with --as whose program made" in capsys.readouterr().err
        (tmp_path / name).unlink()

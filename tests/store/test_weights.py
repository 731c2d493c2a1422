"""Files of weights: read as tensors, whatever else is in them, and nothing of it is run."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MessageHub

from tasks.store.weights import UnreadableWeights, read_weights, tensors_of

WEIGHTS = {"a": torch.arange(3.0), "b": torch.nn.Parameter(torch.ones(2, 2))}


def mmengine_checkpoint(path: Path) -> Path:
    """What mmengine's CheckpointHook leaves: log buffers and NumPy's numbers beside the tensors."""
    hub = MessageHub.get_instance(f"checkpoint {path}")
    for _ in range(3):
        hub.update_scalar("train/loss", 0.5)
    hub.update_info("iter", 3)
    logged = hub.state_dict()
    # Its functions by name, as versions of mmengine keep them that do so for each buffer and not for the class.
    logged["log_scalars"]["train/loss"]._statistics_methods = {"min": type(hub.get_scalar("train/loss")).min}
    meta = {"iter": 3, "experiment_name": "x", "seed": 0}
    torch.save({"meta": meta, "state_dict": WEIGHTS, "message_hub": logged, "optimizer": {"state": {}}}, path)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "of old"])
def test_tensors_of_a_checkpoint_of_mmengine(tmp_path: Path, zipped: bool) -> None:
    path = mmengine_checkpoint(tmp_path / "iter_3.pth")
    if not zipped:
        torch.save(torch.load(path, weights_only=False), path, _use_new_zipfile_serialization=False)
    with pytest.raises(UnreadableWeights, match=r"names \S*HistoryBuffer"):
        read_weights(path, beside=())
    read = tensors_of(read_weights(path))
    assert list(read) == ["a", "b"]
    assert all(torch.equal(read[name], value) for name, value in WEIGHTS.items())


def test_a_file_of_tensors_by_name(tmp_path: Path) -> None:
    torch.save({**WEIGHTS, "version": 2}, tmp_path / "bare.pth")
    assert list(tensors_of(read_weights(tmp_path / "bare.pth"))) == ["a", "b"]


class Planted:
    """Runs a function when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


def test_what_would_be_run_is_refused_in_one_line(tmp_path: Path) -> None:
    for name, function in {"posix.system": os.system, "exec": exec, "shutil.rmtree": shutil.rmtree}.items():
        path = tmp_path / "planted.pth"
        torch.save({"state_dict": WEIGHTS, "more": Planted(function, f"touch {tmp_path / 'ran'}")}, path)
        with pytest.raises(UnreadableWeights, match=rf"names {name}, which") as caught:
            read_weights(path)
        assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "ran").exists()


def test_what_is_left_out_is_not_run(tmp_path: Path) -> None:
    """``getattr``, which mmengine's log needs, is left out like the rest: with it, a file could reach anything."""
    torch.save({"state_dict": WEIGHTS, "more": Planted(getattr, "text", "upper")}, tmp_path / "planted.pth")
    more = read_weights(tmp_path / "planted.pth")["more"]
    assert (type(more).__name__, vars(more)) == ("InertValue", {})


def test_the_line_that_is_told_strips_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({"state_dict": WEIGHTS, "of": Path("x")}, tmp_path / "own.pth")
    with pytest.raises(UnreadableWeights) as caught:
        read_weights(tmp_path / "own.pth")
    program = str(caught.value).partition('python -c "')[2].removesuffix('"')
    monkeypatch.chdir(tmp_path)
    exec(program)
    assert list(tensors_of(read_weights(tmp_path / "tensors.pth"))) == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x03\x04", None])
def test_no_file_of_weights(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableWeights, match=r"broken\.pth cannot be read as tensors alone: \S") as caught:
        read_weights(path)
    assert len(str(caught.value)) < 500 + len(str(path))


def test_a_list_is_no_weights(tmp_path: Path) -> None:
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(UnreadableWeights, match=r"list\.pth holds a list, not tensors"):
        read_weights(tmp_path / "list.pth")

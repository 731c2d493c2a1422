"""Real trainings, tiny: what they leave, how they resume after kill -9, what they refuse."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tasks.retrain.config import RetrainConfig, Task
from tasks.process import ProcessError
from tasks.retrain.stage import train_model
from tasks.store import Artifact, Store, file_sha256

CONFIGS = {"detection": "configs/detection/rtmdet_cpu.py", "segmentation": "configs/segmentation/fpn_r18_cpu.py"}


def settings(task: Task, **changes: object) -> RetrainConfig:
    training = {"config": CONFIGS[task], "iterations": 4, "batch": 2, "input_size": [64, 64], "log_every": 1}
    return RetrainConfig.model_validate({task: {**training, **changes}, "device": "cpu", "workers": 2})


def train(task: Task, sets: tuple[Artifact, ...], config: RetrainConfig, root: Path, seed: int = 0) -> Artifact:
    return train_model.fn(task, "real", seed, sets, config, Store(root))


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_training_leaves_model_card_and_curve(task: Task, squares: Artifact, tmp_path: Path) -> None:
    model = train(task, (squares, squares), settings(task), tmp_path)
    names = {p.name for p in model.path.iterdir()}
    assert names == {"artifact.json", "card.json", "checkpoint.pth", "config.py", "curve.json", "log.txt"}
    card = json.loads(model.file("card.json").read_text())
    assert (card["iterations"], card["batch"], card["input_size"], card["train_images"]) == (4, 2, [64, 64], 16)
    assert card["initial_weights"] == {"weights": "random"}
    assert [point["iteration"] for point in json.loads(model.file("curve.json").read_text())] == [1, 2, 3, 4]
    again = train(task, (squares, squares), settings(task), tmp_path)
    assert again.cached
    assert again.digest == model.digest


def test_killed_training_resumes_from_its_newest_checkpoint_that_opens(squares: Artifact, tmp_path: Path) -> None:
    config = settings("segmentation", iterations=30, checkpoint_every=2)
    killed = threading.Event()

    def kill_once_there_are_two_checkpoints() -> None:
        while not killed.is_set():
            found = sorted(tmp_path.glob("model/.*.building/iter_*[0-9].pth"))
            if len(found) > 1:
                (pid,) = _workers(tmp_path)
                os.kill(pid, signal.SIGKILL)
                killed.set()
            time.sleep(0.02)

    thread = threading.Thread(target=kill_once_there_are_two_checkpoints)
    thread.start()
    with pytest.raises(ProcessError, match="SIGKILL"):
        train("segmentation", (squares,), config, tmp_path)
    thread.join()
    left = sorted(tmp_path.glob("model/.*.building/iter_*[0-9].pth"), key=lambda p: int(p.stem.split("_")[1]))
    left[-1].write_bytes(left[-1].read_bytes()[:1000])  # as an interrupted copy would leave it
    model = train("segmentation", (squares,), config, tmp_path)
    log = model.file("log.txt").read_text()
    assert f"resuming from {left[-2].name}" in log
    done = int(left[-2].stem.split("_")[1])
    resumed = log.split("resuming from")[1]
    assert f"Iter(train) [{done + 1:>2}/30]" in resumed
    assert f"Iter(train) [{done:>2}/30]" not in resumed
    points = [p["iteration"] for p in json.loads(model.file("curve.json").read_text())]
    assert points == sorted(set(points))
    assert points[-1] == 30


def _workers(folder: Path) -> list[int]:
    """Processes that train below this folder, by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "tasks.retrain.worker" in command and str(folder) in command:
            found.append(int(path.parent.name))
    return found


def test_same_seed_same_start_for_every_arm(squares: Artifact, tmp_path: Path) -> None:
    """Arms are paired: with a learning rate of nothing, two arms of one seed end where they began, at the same place."""
    import torch

    still = {"optim_wrapper.optimizer.lr": 0.0, "optim_wrapper.optimizer.weight_decay": 0.0, "param_scheduler": []}
    config = settings("segmentation", iterations=2, overrides=still)

    def first_weights(sets: tuple[Artifact, ...], seed: int) -> torch.Tensor:
        model = train("segmentation", sets, config, tmp_path, seed)
        state = torch.load(model.file("checkpoint.pth"), weights_only=True)["state_dict"]
        return state["backbone.stem.0.weight"]

    one, mixed, other = first_weights((squares,), 0), first_weights((squares, squares), 0), first_weights((squares,), 1)
    assert torch.equal(one, mixed)
    assert not torch.equal(one, other)


def test_initial_weights(squares: Artifact, tmp_path: Path) -> None:
    first = train("segmentation", (squares,), settings("segmentation"), tmp_path)
    path = first.file("checkpoint.pth")
    init = {"path": str(path), "sha256": file_sha256(path)}
    second = train("segmentation", (squares,), settings("segmentation", init=init), tmp_path)
    assert not second.cached
    told = json.loads(second.file("card.json").read_text())["initial_weights"]
    assert told["skipped"] == 0
    assert told["loaded"] > 100


def test_wrong_initial_weights_are_named(squares: Artifact, tmp_path: Path) -> None:
    segmenter = train("segmentation", (squares,), settings("segmentation"), tmp_path).file("checkpoint.pth")
    cases = {
        "no file .*missing.pth": ("segmentation", tmp_path / "missing.pth", "0" * 64),
        "has SHA-256 .* but the configuration says 0000": ("segmentation", segmenter, "0" * 64),
        r"checkpoint\.pth does not fit .*rtmdet_cpu\.py": ("detection", segmenter, file_sha256(segmenter)),
    }
    for message, (task, path, sha256) in cases.items():
        config = settings(task, init={"path": str(path), "sha256": sha256})  # type: ignore[arg-type]
        with pytest.raises(ProcessError, match=message):
            train(task, (squares,), config, tmp_path)  # type: ignore[arg-type]

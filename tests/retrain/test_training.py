"""Real trainings, tiny: what they leave, how they resume after kill -9, what they refuse."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.compute.config import ComputeConfig
from tasks.compute.machine import Machine
from tasks.compute.process import ProcessError
from tasks.contracts.artifact import Artifact
from tasks.contracts.task import Task
from tasks.retrain import worker
from tasks.retrain.checkpoints import load_checkpoint, newest
from tasks.retrain.config import RetrainConfig, Weights
from tasks.retrain.finite import not_finite
from tasks.retrain.job import TrainJob
from tasks.retrain.make_model import build_model
from tasks.retrain.stage import train_model
from tasks.retrain.suitable import TrainingError
from tasks.store.digest import file_sha256
from tasks.store.manifest import Manifest
from tasks.store.store import Store
from tasks.translate.networks.imagenet import IMAGENET_SHA256, imagenet_weights

CONFIGS = {
    "detection": "configs/networks/detection/efficientnet_lite0_atss.py",
    "segmentation": "configs/networks/segmentation/efficientnet_lite0_fpn.py",
}


def settings(task: Task, **changes: object) -> RetrainConfig:
    training = {"config": CONFIGS[task], "iterations": 4, "batch": 2, "input_size": [64, 64], "log_every": 1}
    return RetrainConfig.model_validate({task: {**training, **changes}})


def train(
    task: Task, sets: tuple[Artifact, ...], config: RetrainConfig, root: Path, seed: int = 0, loaders: int = 0
) -> Artifact:
    compute = ComputeConfig(device="cpu", workers=2, loaders=loaders)
    return train_model.fn(task, "real", seed, sets, config, compute, Store(root))


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_training_leaves_model_card_and_curve(task: Task, squares: Artifact, tmp_path: Path) -> None:
    model = train(task, (squares, squares), settings(task), tmp_path)
    names = {p.name for p in model.path.iterdir()}
    assert names == {"artifact.json", "card.json", "checkpoint.pth", "config.py", "curve.json", "log.txt"}
    card = json.loads(model.file("card.json").read_text())
    assert (card["iterations"], card["batch"], card["input_size"], card["train_images"]) == (4, 2, [64, 64], 16)
    assert card["initial_weights"] == {"weights": "random"}
    assert Manifest.read(model.path).summary["device"] == "cpu"
    assert [point["iteration"] for point in json.loads(model.file("curve.json").read_text())] == [1, 2, 3, 4]
    again = train(task, (squares, squares), settings(task), tmp_path)
    assert again.cached
    assert again.digest == model.digest


@pytest.fixture(scope="module", params=["detection", "segmentation"])
def undisturbed(request: pytest.FixtureRequest, squares: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A training that nothing happens to, of each task."""
    model = train(request.param, (squares,), exact(request.param), tmp_path_factory.mktemp("undisturbed"))
    return request.param, model


def exact(task: Task) -> RetrainConfig:
    return settings(task, iterations=6, checkpoint_every=2)


def test_the_same_training_has_the_same_digest(undisturbed: Any, squares: Artifact, tmp_path: Path) -> None:
    task, model = undisturbed
    again = train(task, (squares,), exact(task), tmp_path)
    assert again.path != model.path
    assert again.digest == model.digest
    assert str(tmp_path).encode() not in again.file("config.py").read_bytes()


@pytest.mark.parametrize(("at", "loaders"), [(2, 0), (4, 2)])
def test_a_resumed_training_is_the_undisturbed_one(
    undisturbed: Any, squares: Artifact, tmp_path: Path, at: int, loaders: int
) -> None:
    """Killed after a checkpoint, with the one after it cut off as an interrupted copy would leave it.

    With loaders, too, which the undisturbed one has not: an image's augmentation goes by its number alone.
    """
    task, model = undisturbed
    killed = threading.Event()

    def kill_once_there_is_a_checkpoint() -> None:
        while not killed.is_set():
            if list(tmp_path.glob(f"model/.*.building/iter_{at}.pth")):
                os.kill(min(_workers(tmp_path)), signal.SIGKILL)  # the first: its loaders have its command line
                killed.set()
            time.sleep(0.005)

    thread = threading.Thread(target=kill_once_there_is_a_checkpoint)
    thread.start()
    with pytest.raises(ProcessError, match="SIGKILL"):
        train(task, (squares,), exact(task), tmp_path, loaders=loaders)
    thread.join()
    (work,) = tmp_path.glob("model/.*.building")
    whole = (work / f"iter_{at}.pth").read_bytes()
    (work / f"iter_{at + 1}.pth").write_bytes(whole[:1000])
    resumed = train(task, (squares,), exact(task), tmp_path, loaders=loaders)
    log = resumed.file("log.txt").read_text()
    assert f"resuming from iter_{at}.pth" in log
    assert f"Iter(train) [{at}/6]" not in log.split("resuming from")[1]
    for name in ("checkpoint.pth", "curve.json", "card.json", "config.py"):
        assert resumed.file(name).read_bytes() == model.file(name).read_bytes(), name
    assert resumed.digest == model.digest
    assert [p["iteration"] for p in json.loads(resumed.file("curve.json").read_text())] == [1, 2, 3, 4, 5, 6]


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    class Planted:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": {}, "more": Planted()}, tmp_path / "iter_1.pth")
    with pytest.raises(TrainingError, match="not a readable checkpoint"):
        load_checkpoint(tmp_path / "iter_1.pth")
    assert newest(tmp_path) is None
    assert not (tmp_path / "ran").exists()


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


def trained_here(
    work: Path, sets: tuple[Artifact, ...], seed: int = 0, task: Task = "segmentation", **changes: object
) -> Path:
    """Train in this process, which spares starting another; returns the checkpoint."""
    from tasks.retrain import worker

    work.mkdir()
    job = TrainJob(
        task=task,
        training=settings(task, **{"iterations": 2, **changes}).tasks()[task],
        tables=tuple(s.path for s in sets),
        seed=seed,
        work=work,
        loaders=0,
        device="cpu",
    )
    worker.train(job)
    return work / "checkpoint.pth"


STILL = {"optim_wrapper.optimizer.lr": 0.0, "optim_wrapper.optimizer.weight_decay": 0.0, "param_scheduler": []}


@pytest.fixture(scope="module")
def still(squares: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training at a learning rate of nothing, from seed 0."""
    return trained_here(tmp_path_factory.mktemp("still") / "work", (squares,), overrides=STILL)


def stem(checkpoint: Path) -> torch.Tensor:
    return torch.load(checkpoint, weights_only=True)["state_dict"]["backbone.conv_stem.weight"]


def test_same_seed_same_start_for_every_arm(squares: Artifact, still: Path, tmp_path: Path) -> None:
    """Arms are paired: with a learning rate of nothing, two arms of one seed end where they began."""

    def start(name: str, sets: tuple[Artifact, ...], seed: int) -> torch.Tensor:
        return stem(trained_here(tmp_path / name, sets, seed, overrides=STILL))

    mixed = start("mixed", (squares, squares), 0)
    assert torch.equal(stem(still), mixed)
    assert not torch.equal(mixed, start("other", (squares,), 1))


def test_initial_weights_are_loaded_and_told(squares: Artifact, still: Path, tmp_path: Path) -> None:
    init = {"path": str(still), "sha256": file_sha256(still)}
    card = trained_here(tmp_path / "second", (squares,), seed=1, init=init).parent / "card.json"
    told = json.loads(card.read_text())["initial_weights"]
    assert told["skipped"] == 0
    assert told["loaded"] > 100


def test_packaged_weights_and_class_weights_are_told(squares: Artifact, tmp_path: Path) -> None:
    network = "configs/networks/segmentation/efficientnet_lite0_fpn.py"
    changes = {"config": network, "init": "packaged", "class_weights": [1.0, 2.0], "overrides": STILL}
    checkpoint = trained_here(tmp_path / "work", (squares,), **changes)
    card = json.loads((checkpoint.parent / "card.json").read_text())
    told = card["initial_weights"]
    assert (told["weights"], told["skipped"]) == ("efficientnet-lite0-57934424.pth", 0)
    assert told["sha256"] == IMAGENET_SHA256
    assert card["class_weights"] == [1.0, 2.0]
    weights = torch.load(checkpoint, weights_only=True)["state_dict"]
    given = torch.load(imagenet_weights(), weights_only=True)
    assert torch.equal(weights["backbone.blocks.15.project_conv.weight"], given["_blocks.15._project_conv.weight"])


def test_wrong_initial_weights_are_named(still: Path, tmp_path: Path) -> None:
    from tasks.retrain.checkpoints import load_initial

    path = still
    network = Path("another_network.py")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    cut_off = tmp_path / "cut_off.pth"
    cut_off.write_bytes(path.read_bytes()[:1000])
    cases = {
        r"no file .*missing\.pth": Weights(path=tmp_path / "missing.pth", sha256="0" * 64),
        r"checkpoint\.pth has SHA-256 .* but the configuration says 0000": Weights(path=path, sha256="0" * 64),
        r"checkpoint\.pth does not fit another_network\.py": Weights(path=path, sha256=file_sha256(path)),
        r"cut_off\.pth cannot be read": Weights(path=cut_off, sha256=file_sha256(cut_off)),
    }
    for message, weights in cases.items():
        with pytest.raises(TrainingError, match=message):
            load_initial(model, weights, network)


def test_problem_of_a_training_is_told_in_one_line(squares: Artifact, tmp_path: Path) -> None:
    init = {"path": str(tmp_path / "missing.pth"), "sha256": "0" * 64}
    with pytest.raises(ProcessError, match=r"^init\.path: no file .*missing\.pth$"):
        train("segmentation", (squares,), settings("segmentation", init=init), tmp_path)


@pytest.mark.parametrize(("device", "loaders", "noted"), [("cpu", 0, ()), ("cpu", 1, ()), ("cuda", 0, (200, 400))])
def test_where_a_training_went_on_otherwise_is_noted(
    tmp_path: Path, device: str, loaders: int, noted: tuple[int, ...]
) -> None:
    training = settings("segmentation").segmentation
    assert training is not None
    job = TrainJob(
        task="segmentation", training=training, tables=(), seed=0, work=tmp_path, loaders=loaders, device=device
    )
    for resumed in (None, tmp_path / "iter_200.pth", tmp_path / "iter_400.pth"):
        worker._note(job, resumed)
    assert worker._noted(tmp_path) == noted


WILD = {"optim_wrapper.optimizer.lr": 1.0e30, "param_scheduler": []}
DIVERGED = r"^the training diverged: its (loss|weights) .*at iteration \d+ and a learning rate of 1e\+30; lower the "


@pytest.mark.parametrize("task", ["detection", "segmentation"])
@pytest.mark.parametrize("every", [1, 100], ids=["by the loss", "by the weights"])
def test_a_diverging_training_ends_early(squares: Artifact, tmp_path: Path, task: Task, every: int) -> None:
    changes = {"iterations": 10, "checkpoint_every": 8, "log_every": every, "overrides": WILD}
    with pytest.raises(TrainingError, match=DIVERGED) as caught:
        trained_here(tmp_path / "work", (squares,), task=task, **changes)
    assert len(str(caught.value).splitlines()) == 1
    assert newest(tmp_path / "work") is None


def test_a_diverged_training_is_not_resumed_from_what_it_lost(squares: Artifact, tmp_path: Path) -> None:
    """Through the store, which keeps what a failed training left: the rerun says the same and takes up nothing lost."""

    def here(_module: str, job: Path, *_: object) -> None:
        worker.work(job)

    store, machine = Store(tmp_path), Machine(ComputeConfig(device="cpu"), tmp_path, start=here)
    config = settings("detection", iterations=4, checkpoint_every=1, overrides=WILD)
    for _ in range(2):
        with pytest.raises(TrainingError, match=DIVERGED):
            build_model("detection", "real", 0, (squares,), config, store, machine)
        (work,) = tmp_path.glob("model/.*.building")
        left = [load_checkpoint(path)["state_dict"] for path in work.glob("iter_*.pth")]
        assert [not_finite(weights) for weights in left] == [None] * len(left)
        torch.save({"state_dict": {"a": torch.tensor(float("nan"))}}, work / "iter_3.pth")
    assert newest(work) != work / "iter_3.pth"
    assert not list(tmp_path.glob("model/[!.]*"))


def test_a_checkpoint_that_is_not_finite_is_passed_over(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "iter_2.pth")
    torch.save({"state_dict": {"n": torch.tensor(1), "a": torch.tensor([1, float("nan")])}}, tmp_path / "iter_4.pth")
    assert newest(tmp_path) == tmp_path / "iter_2.pth"
    assert not (tmp_path / "iter_4.pth").exists()


def test_a_loss_that_is_lost_for_once_is_a_gap_of_the_curve(tmp_path: Path) -> None:
    (tmp_path / "1" / "vis_data").mkdir(parents=True)
    lines = ('{"step": 1, "loss": 2.0}', '{"step": 2, "loss": NaN}', '{"step": 3, "loss": 1.0}')
    (tmp_path / "1" / "vis_data" / "scalars.json").write_text("\n".join(lines))
    assert [(p.iteration, p.loss) for p in worker._curve(tmp_path)] == [(1, 2.0), (3, 1.0)]

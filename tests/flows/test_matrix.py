"""The experiment's matrix with cheap stand-ins for training and scoring: what is made, kept, reported and named."""

import sys
import threading
from collections.abc import Callable, Collection
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import pytest
from prefect import flow, get_client, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.task_runners import ThreadPoolTaskRunner

from flows import matrix
from flows.augment import augment
from flows.config import PipelineConfig
from flows.matrix import experiment_matrix, members, runner
from flows.shape import Cell
from tasks.compute import stage as compute_stage
from tasks.compute.config import ComputeConfig
from tasks.contracts.arm import Arm
from tasks.contracts.artifact import Artifact
from tasks.contracts.record import Failure, Result
from tasks.datasets.table import SampleTable, TableInfo
from tasks.evaluate.stage import evaluate_model
from tasks.retrain import stage
from tasks.settings.loading import load
from tasks.store.files import write_json
from tasks.store.manifest import Manifest
from tasks.store.recipe import Recipe
from tasks.store.store import Store

IMAGES = {"source": 20, "target": 5, "benchmark": 3, "fda": 20}


@pytest.fixture
def settings(tmp_path: Path, write_tiny: Callable[..., Path]) -> Callable[..., PipelineConfig]:
    """The tiny pipeline with changes."""

    def make(*sets: str) -> PipelineConfig:
        return load(write_tiny(tmp_path), PipelineConfig, sets)

    return make


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Artifact]:
    """An artifact for every set, and the translated source."""

    info = TableInfo(dataset="none", classes=(), detection=(), encoding=None, boxes_from=None)

    def made(name: str) -> Artifact:
        def make(folder: Path) -> None:
            write_json(folder / "card.json", {"set": name})
            SampleTable.from_samples([], info, folder).write(folder)

        return Store(tmp_path / "store").build(Recipe("dataset", config={"name": name}, inputs={}, code="1"), make)

    return {name: made(name) for name in IMAGES}


@pytest.fixture
def run(images: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> Callable[..., Any]:
    """Run the matrix, where cells named in ``untrained`` and ``unscored`` fail."""

    def make(
        settings: PipelineConfig, untrained: Collection[Cell] = (), unscored: Collection[Cell] = ()
    ) -> tuple[tuple[Result, ...], tuple[Failure, ...]]:
        monkeypatch.setattr(matrix, "SampleTable", SimpleNamespace(read=lambda _: None))  # only weighted classes ask
        monkeypatch.setattr(matrix, "train_model", trainer(untrained))
        monkeypatch.setattr(matrix, "evaluate_model", scorer(unscored))
        spread = experiment_matrix.with_options(task_runner=runner(settings))
        return spread(settings, {k: v for k, v in images.items() if k != "fda"}, {"fda": images["fda"]})

    return make


def trainer(broken: Collection[Cell]) -> Any:
    @task(cache_policy=NO_CACHE)
    def train(kind: Any, arm: str, seed: int, sets: tuple[Artifact, ...], *others: Any) -> Artifact:
        def make(folder: Path) -> None:
            if (kind, arm, seed) in broken:
                raise MemoryError("no memory left")
            names = [Manifest.read(a.path).config["name"] for a in sets]
            told = [{"dataset": name, "images": IMAGES[name]} for name in names]
            write_json(folder / "card.json", {"of": [kind, arm, seed], "train_sets": told})

        inputs = {f"images{i}": a for i, a in enumerate(sets)}
        store: Store = others[2]
        return store.build(Recipe("model", config={"task": kind, "seed": seed}, inputs=inputs, code="1"), make)

    return train


def scorer(broken: Collection[Cell]) -> Any:
    @task(cache_policy=NO_CACHE)
    def score(kind: Any, arm: str, seed: int, model: Artifact, benchmark: Artifact, *others: Any) -> Artifact:
        def make(folder: Path) -> None:
            if (kind, arm, seed) in broken:
                raise ValueError("no such class")
            write_json(folder / "scores.json", {"of": model.digest})

        store: Store = others[2]
        return store.build(Recipe("evaluation", config={}, inputs={"model": model}, code="1"), make)

    return score


def cells(told: tuple[Result, ...] | tuple[Failure, ...]) -> list[Cell]:
    return [(t.task, t.arm, t.seed) for t in told]


def test_later_seeds_are_added_to_what_is_there(settings: Callable[..., PipelineConfig], run: Any) -> None:
    first, _ = run(settings("retrain.seeds=[0]"))
    assert len(first) == 4
    assert not any(r.model.cached or r.evaluation.cached for r in first)
    both, failures = run(settings("retrain.seeds=[0, 7]"))
    assert failures == ()
    assert {(r.seed, r.model.cached, r.evaluation.cached) for r in both} == {(0, True, True), (7, False, False)}
    assert {r.model.digest for r in both if r.seed == 0} == {r.model.digest for r in first}


def test_what_failed_is_named_and_tried_again(settings: Callable[..., PipelineConfig], run: Any) -> None:
    one, other = ("detection", "source", 1), ("segmentation", "translated(fda)", 0)
    config = settings("retrain.seeds=[0, 1]")
    results, failures = run(config, untrained=[one], unscored=[other])
    assert cells(failures) == [one, other]
    assert [f.error for f in failures] == ["MemoryError: no memory left", "ValueError: no such class"]
    expected = [(t, a, s) for t in ("detection", "segmentation") for a in config.arms() for s in (0, 1)]
    assert cells(results) == [cell for cell in expected if cell not in (one, other)]
    again, failures = run(config)
    assert (cells(again), failures) == (expected, ())
    assert [c for c, r in zip(expected, again, strict=True) if not r.model.cached] == [one]


def test_one_error_everywhere_stops_no_cell(settings: Callable[..., PipelineConfig], run: Any) -> None:
    config = settings("retrain.seeds=[0, 1]", "retrain.detection=null")
    everywhere = [("segmentation", arm, seed) for arm in config.arms() for seed in (0, 1)]
    results, failures = run(config, untrained=everywhere)
    assert (results, cells(failures)) == ((), everywhere)


def test_results_state_what_was_mixed(settings: Callable[..., PipelineConfig], run: Any) -> None:
    arms = "retrain.arms=[real, real+source, real+translated(fda)]"
    results, _ = run(settings(arms, "retrain.detection=null"))
    assert [r.images for r in results] == [
        {"real": 5},
        {"real": 5, "source": 20},
        {"real": 5, "translated(fda)": 20},
    ]
    assert len({*results, *results}) == 3, "results are keys, as in a re-evaluation"


def test_a_card_of_another_arm_is_refused(images: dict[str, Artifact], tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        write_json(folder / "card.json", {"train_sets": [{"dataset": "d", "images": 4}]})

    model = Store(tmp_path / "store").build(Recipe("model", config={}, inputs={}, code="1"), make)
    assert {part: told.images for part, told in members(Arm("source"), model).items()} == {"source": 4}
    with pytest.raises(ValueError, match="shorter"):
        members(Arm("real+source"), model)


def test_threads_take_as_many_models_as_workers(settings: Callable[..., PipelineConfig]) -> None:
    made = runner(settings("compute.workers=3"))
    assert isinstance(made, ThreadPoolTaskRunner)
    assert made._max_workers == 3


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for prefect-dask and prefect-ray that tell what they were asked for."""
    monkeypatch.setattr("tasks.compute.config.find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setitem(sys.modules, "prefect_dask", SimpleNamespace(DaskTaskRunner=lambda **told: told))
    monkeypatch.setitem(sys.modules, "prefect_ray", SimpleNamespace(RayTaskRunner=lambda **told: told))


@pytest.mark.usefixtures("packages")
def test_clusters_are_local_or_where_they_are_said_to_be(settings: Callable[..., PipelineConfig]) -> None:
    def told(*sets: str) -> Any:
        return runner(settings("compute.workers=3", *sets))

    local = told("compute.runner=dask")["cluster_kwargs"]
    assert (local["n_workers"], local["threads_per_worker"]) == (3, 1)
    assert told("compute.runner=dask", "compute.cluster=tcp://head:8786") == {"address": "tcp://head:8786"}
    local, remote = told("compute.runner=ray"), told("compute.runner=ray", "compute.cluster=ray://head:10001")
    assert (local["address"], local["init_kwargs"]["num_cpus"]) == (None, 3)
    assert remote["address"] == "ray://head:10001"
    assert "num_cpus" not in remote["init_kwargs"]
    shown = {"env_vars": {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}}
    assert [t["init_kwargs"]["runtime_env"] for t in (local, remote)] == [shown, shown]


def test_what_is_submitted_travels_to_another_process(
    settings: Callable[..., PipelineConfig], images: dict[str, Artifact]
) -> None:
    config = settings()
    store = Store(config.store, config.model_dump(mode="json"))
    training = ("detection", "source", 0, (images["source"],), config.retrain.absolute(), config.compute, store)
    sides = (images["source"], images["target"])
    scoring = (*training[:3], images["fda"], images["benchmark"], config.evaluate, config.compute, store, sides)
    for work, arguments in ((stage.train_model, training), (evaluate_model, scoring)):
        there, received = cloudpickle.loads(cloudpickle.dumps((work, arguments)))
        assert there.name == work.name
        assert [a for a in received if not isinstance(a, Store)] == [a for a in arguments if not isinstance(a, Store)]
        (copy,) = (a for a in received if isinstance(a, Store))
        assert copy.get("dataset", images["source"].key).digest == images["source"].digest


@pytest.mark.usefixtures("prefect_server")
def test_global_limit_counts_over_the_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    lock, most, now, seen = threading.Lock(), [0], [0], []

    @task(cache_policy=NO_CACHE)
    def one(number: int) -> None:
        with compute_stage.this_machine(ComputeConfig(device="cuda", workers=2), tmp_path).lease() as lease:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
                seen.extend(lease.gpus)
            threading.Event().wait(0.3)
            with lock:
                now[0] -= 1

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
    def two() -> None:
        for future in [one.submit(0), one.submit(1)]:
            future.result()

    two()
    assert (most, sorted(seen)) == ([2], ["0", "1"]), "without a limit both GPUs work at a time"
    most[0] = 0
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=compute_stage.GPU_LIMIT, limit=1))
        two()
        client.delete_global_concurrency_limit_by_name(compute_stage.GPU_LIMIT)
    assert most == [1]


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("name", ["dask", "ray"])
def test_whole_chain_on_a_local_cluster(name: str, tmp_path: Path, write_tiny: Callable[..., Path]) -> None:
    pytest.importorskip(f"prefect_{name}")
    record = augment(write_tiny(tmp_path), {"compute.runner": name, "retrain.detection": None})
    assert record.failures == ()
    assert len(record.results) == 2

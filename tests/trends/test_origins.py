"""Settings are found again in the keys that the stages really make: what is in one, and by which name."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.config import PipelineConfig
from tasks.audit.make_audit import Judged, audit_recipe
from tasks.contracts.artifact import Artifact
from tasks.datasets.make_dataset import dataset_recipe
from tasks.evaluate.make_evaluation import evaluation_recipe
from tasks.retrain.make_model import model_recipe
from tasks.settings.loading import load
from tasks.store.recipe import Recipe
from tasks.translate.make_translated import translated_recipe
from tasks.translate.make_translator import translator_recipe
from tasks.trends.comparing.origins import Whose, differing, explaining, keys
from tasks.trends.comparing.settings import differences

SMOKE = Path("configs/pipelines/smoke.yaml")
CUT = 3  # its place among the translators
# What is in a key and no setting: which cell of the matrix it is, and who made it.
OWN = {("model", "task"), ("model", "seed"), ("evaluation", "task"), ("evaluation", "occasion"), ("audit", "name")}


@functools.cache
def smoke() -> str:
    return load(SMOKE, PipelineConfig).model_dump_json()


def changed(key: str = "", value: Any = None) -> PipelineConfig:
    """The smoke run's configuration with one setting changed, whether this machine could run it or not."""
    values = json.loads(smoke())
    at = values
    *sections, last = key.split(".")
    for section in sections:
        at = at["translators"][CUT] if section == "cut" else at[section]
    if key:
        at[last] = value
    return PipelineConfig.model_validate(values)


def recipes(config: PipelineConfig) -> Iterator[tuple[Recipe, Whose]]:
    """What the artifacts are made from that a score of segmentation by CUT descends from."""
    given = Artifact(kind="dataset", key="k", digest="d", path=Path("/none"), seconds=0, cached=True)
    for role in ("source", "target", "benchmark"):
        of: Any = getattr(config.datasets, role)
        yield dataset_recipe(of, config.datasets, given), Whose("segmentation", "cut", [role])
    whose = Whose("segmentation", "cut")
    translator: Any = config.translate.translators[CUT]
    yield translator_recipe(translator, given, given), whose
    yield translated_recipe(translator, given, given, given, "cpu"), whose
    sets = {"source": given, "target": given}
    assert config.audit
    yield audit_recipe("cut", sets, given, Judged(), config.audit), whose
    yield model_recipe("segmentation", 0, (given,), config.retrain), whose
    yield evaluation_recipe("segmentation", given, given, config.evaluate), whose


@functools.cache
def before() -> tuple[dict[str, Any], list[tuple[Recipe, Whose]]]:
    config = changed()
    return config.model_dump(mode="json"), list(recipes(config))


def found(key: str, value: Any) -> set[str]:
    after = changed(key, value)
    resolved, made = before()
    settings = differences(resolved, after.model_dump(mode="json"))
    assert settings
    causes = set()
    for (old, whose), (new, _) in zip(made, recipes(after), strict=True):
        for place, _, _ in differing(new.kind, old.config, new.config):
            explained = explaining(keys(new.kind, place, whose), settings)
            assert explained, f"{new.kind}: {place}"
            causes |= {s.key for s in explained}
    return causes


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("retrain.segmentation.iterations", 200),
        ("retrain.segmentation.batch", 2),
        ("retrain.segmentation.config", "configs/networks/segmentation/segformer_b0.py"),
        ("retrain.segmentation.overrides", {"model": {"decode_head": {"dropout_ratio": 0.2}}}),
        ("translate.cut.training.iterations", 7),
        ("translate.cut.generator.blocks", 4),
        ("datasets.source.count", 50),
        ("datasets.target.count", 50),
        ("datasets.taxonomy", "configs/taxonomies/camvid11.yaml"),
        ("datasets.max_rejected", 0.2),
        ("audit.thresholds.judge", 0.3),
        ("evaluate.precision", "float32"),
    ],
)
def test_a_setting_in_a_key_is_found_by_its_name(key: str, value: Any) -> None:
    (cause,) = found(key, value)
    assert cause == key or cause.startswith((f"{key}.", f"{key}["))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("compute.workers", 1),
        ("compute.loaders", 3),
        ("evaluate.batch", 2),
        ("evaluate.margin", 0.02),
        ("retrain.segmentation.log_every", 5),
        ("retrain.detection.iterations", 60),
        ("translate.cut.training.sample_every", 5),
        ("compute.gpus", 2),
        ("translate.cut.training.checkpoint_every", 5),
        ("report.title", "Other"),
    ],
)
def test_a_setting_in_no_key_is_not_found(key: str, value: Any) -> None:
    assert found(key, value) == set()


def test_every_place_of_every_key_has_its_settings() -> None:
    resolved, made = before()
    places = [
        (recipe.kind, place, keys(recipe.kind, place, whose))
        for recipe, whose in made
        for place, _, _ in differing(recipe.kind, {}, recipe.config)
        if (recipe.kind, place) not in OWN
    ]
    assert len(places) > 100
    assert [(kind, place) for kind, place, named in places if not any(_is_there(k, resolved) for k in named)] == []


def _is_there(key: str, resolved: dict[str, Any]) -> bool:
    at: Any = resolved
    for part in key.split("."):
        if isinstance(at, dict) and "translators" in at:
            at = {t["name"]: t for t in at["translators"]}
        if not isinstance(at, dict) or part not in at:
            return False
        at = at[part]
    return True

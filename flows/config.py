"""The pipeline's configuration: one model, composed of each room's section; also the flows' parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ConfigDict, Field, field_validator, model_validator

from flows.preflight import run_problems
from tasks.audit import AuditConfig, audit_problems
from tasks.catalogue import Language
from tasks.compute import ComputeConfig
from tasks.contracts import TASKS, Arm, Finding, Labels
from tasks.datasets import RunConfig, SampleTable, label_problems
from tasks.evaluate import EvaluateConfig, scoring_problems
from tasks.report import ReportConfig
from tasks.retrain import RetrainConfig, few_images, loader_problems, retrain_problems
from tasks.settings import Document, Problem, below, read, validate
from tasks.translate import (
    Learned,
    TranslateConfig,
    Translator,
    size_problems,
    source_problems,
    translator_problems,
    validation_problems,
    wants_judge,
)


class PipelineConfig(RunConfig):
    """The whole chain: data sets, translators, the matrix of trainings, the benchmark, the report."""

    translate: TranslateConfig
    retrain: RetrainConfig
    evaluate: EvaluateConfig = EvaluateConfig()
    audit: AuditConfig | None = Field(AuditConfig(), description="The audit of translated sets; null leaves it out.")
    report: ReportConfig = ReportConfig()
    compute: ComputeConfig = ComputeConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        arms = self.arms()
        if not self.retrain.tasks():
            raise ValueError("retrain: neither detection nor segmentation is given")
        if parts := [arm for arm in arms if arm.teacher is not None and arm.built_on != (arm.teacher,)]:
            raise ValueError(
                f"retrain.arms: {', '.join(parts)}: images that a model labelled are of self_train(...) alone"
            )
        if not arms:
            raise ValueError("retrain.arms: no arm is left; translated needs a translator")
        return self

    def problems(self) -> Iterator[Problem]:
        """What would stop the run later, and can be known at once: wrong files, machine, and sections."""
        yield from run_problems(self, self.labels_needed())
        for i, translator in enumerate(self.translate.translators):
            yield from below(("translate", "translators", i), translator_problems(translator))
            if wants_judge(translator) and (self.audit is None or self.retrain.segmentation is None):
                yield from below(("translate", "translators", i), _no_judge())
        yield from below(("retrain",), retrain_problems(self.retrain))
        yield from loader_problems(self.retrain, self.compute)
        if self.audit is not None:
            yield from below(("audit",), audit_problems(self.audit))

    def data_problems(self, tables: Mapping[str, SampleTable]) -> Iterator[Problem]:
        """What of the data sets, by role, cannot be trained or scored on as it is configured."""
        sizes = {role: table.sizes() for role, table in tables.items()}
        for role, needed in self.labels_needed().items():
            yield from below(("datasets", role), label_problems(role, tables[role], needed))
        yield from below(("evaluate",), scoring_problems(self.evaluate, self.retrain.tasks(), tables))
        for i, translator in enumerate(self.translate.translators):
            place = ("translate", "translators", i)
            yield from below(place, size_problems(translator, sizes, self.datasets.max_rejected))
            yield from below(place, validation_problems(translator, tables))
            yield from below(place, source_problems(translator, tables["source"]))
        yield from below(("retrain",), few_images(self.retrain, tables))

    def arms(self) -> tuple[Arm, ...]:
        """The arms, with every bare ``translated`` standing for one arm a translator."""
        return self.retrain.expanded_arms(tuple(t.name for t in self.translate.translators))

    def labels_needed(self) -> dict[str, tuple[Labels, ...]]:
        """Role -> the labels that the tasks and arms use of it."""
        labels = tuple(TASKS[task].labels for task in self.retrain.tasks())
        real = [part.has_real for arm in self.arms() for part in arm.parts if part.teacher is None]
        roles = {"benchmark": True, "target": any(real), "source": not all(real)}
        needed = {role: labels for role, used in roles.items() if used}
        if any(map(wants_judge, self.translate.translators)):
            needed |= {role: needed.get(role, ("masks",)) for role in ("source", "target")}
        return needed


class ReevaluateConfig(PipelineConfig):
    """A pipeline whose models are scored again: what only makes them, such as initial weights, may be gone by now."""

    def problems(self) -> Iterator[Problem]:
        """What would stop the scoring later, and can be known at once."""
        yield from run_problems(self, {"benchmark": self.labels_needed()["benchmark"]})


class TrainTranslatorConfig(RunConfig):
    """Training one translator alone."""

    translator: Translator
    compute: ComputeConfig = ComputeConfig()

    @field_validator("translator")
    @classmethod
    def _learns(cls, translator: Translator) -> Translator:
        if not isinstance(translator, Learned):
            raise ValueError(f"{translator.method} learns nothing: only a pipeline applies it; name another method")
        if translator.weights is not None:
            raise ValueError("weights names a trained generator, so that nothing is left to train: leave it out")
        return translator

    def problems(self) -> Iterator[Problem]:
        """What would stop the training later, and can be known at once."""
        yield from run_problems(self, {})
        yield from below(("translator",), translator_problems(self.translator))
        if wants_judge(self.translator):
            yield from below(("translator",), _no_judge())

    def data_problems(self, tables: Mapping[str, SampleTable]) -> Iterator[Problem]:
        """What of the data sets, by role, cannot be trained on as it is configured."""
        sizes = {role: table.sizes() for role, table in tables.items()}
        yield from below(("translator",), size_problems(self.translator, sizes, self.datasets.max_rejected))
        yield from below(("translator",), validation_problems(self.translator, tables))


class DataConfig(RunConfig):
    """The data sets of any run's configuration; what is not about them is not looked at."""

    model_config = ConfigDict(extra="ignore")

    def problems(self) -> Iterator[Problem]:
        """What would stop the reading."""
        return run_problems(self, {})


class PipelineData(PipelineConfig):
    """The data sets of a pipeline, and what it needs of them; whether the rest could run is not looked at."""

    def problems(self) -> Iterator[Problem]:
        """What would stop the reading."""
        return run_problems(self, {})


def _no_judge() -> Iterator[Problem]:
    yield Problem(("training", "validation", "judge"), Finding.of("settings.no_judge"))


def checked(config: RunConfig) -> tuple[dict[str, tuple[Labels, ...]] | None, Language | None]:
    """What the checks of a run's data sets are made with: the labels needed by role, and the language of their page."""
    return (config.labels_needed(), config.report.language) if isinstance(config, PipelineConfig) else (None, None)


Run = TypeVar("Run", bound=RunConfig)


def overridden(config: RunConfig | Path, overrides: Mapping[str, Any], model: type[Run]) -> Run:
    """A flow's parameters as one configuration.

    Args:
        config: the configuration, or the YAML file that it is in.
        overrides: changes by dotted key, such as ``{"retrain.seeds": [0, 1]}``.
        model: what the configuration is one of.

    Raises:
        ConfigError: the file or an override is wrong.
    """
    document = read(config) if isinstance(config, Path) else Document(config.model_dump(mode="json"))
    return validate(document, model, overrides)

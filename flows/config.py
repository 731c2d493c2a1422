"""The pipeline's configuration: one model, composed of each room's section; also the flows' parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from flows import loading
from tasks.datasets.config import DatasetsConfig
from tasks.evaluate.config import EvaluateConfig
from tasks.report.config import ReportConfig
from tasks.retrain.config import RetrainConfig
from tasks.store import Section
from tasks.translate.config import TranslateConfig, Translator


class _Run(Section):
    name: str = Field(description="The run's name; its results go to <output>/<name>/.")
    store: Path = Field(Path(".store"), description="Where every stage's output is kept, by digest.")
    output: Path = Field(Path("runs"), description="Where reports, timings and records of runs go.")
    datasets: DatasetsConfig

    @field_validator("name")
    @classmethod
    def _folder_name(cls, name: str) -> str:
        if not re.fullmatch(r"[\w][\w.-]*", name):
            raise ValueError(f"{name!r} is no folder name: letters, digits, '_', '-' and '.'")
        return name

    @property
    def folder(self) -> Path:
        """Where this run's results go."""
        return self.output / self.name


class PipelineConfig(_Run):
    """The whole chain: data sets, translators, the matrix of trainings, the benchmark, the report."""

    translate: TranslateConfig
    retrain: RetrainConfig
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        arms = self.arms()
        if not self.retrain.tasks():
            raise ValueError("retrain: neither detection nor segmentation is given")
        if not arms:
            raise ValueError("retrain.arms: no arm is left; translated needs a translator")
        return self

    def arms(self) -> tuple[str, ...]:
        """The arms, with every bare ``translated`` standing for one arm a translator."""
        return self.retrain.expanded_arms(tuple(t.name for t in self.translate.translators))


class TrainTranslatorConfig(_Run):
    """Training one translator alone."""

    translator: Translator


Run = TypeVar("Run", bound=_Run)


def overridden(config: Run | Path, overrides: Mapping[str, Any], model: type[Run]) -> Run:
    """A flow's parameters as one configuration.

    Args:
        config: the configuration, or the YAML file that it is in.
        overrides: changes by dotted key, such as ``{"retrain.seeds": [0, 1]}``.
        model: what the configuration is one of.

    Raises:
        loading.ConfigError: the file or an override is wrong.
    """
    document = loading.read(config) if isinstance(config, Path) else loading.Document(config.model_dump(mode="json"))
    return loading.validate(document, model, overrides)

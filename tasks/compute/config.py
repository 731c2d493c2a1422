"""The ``compute`` section: what every kind of work (translators, audits, trainings, evaluations) runs on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tasks.contracts import Section


class ComputeConfig(Section):
    """Device, GPUs, cores and processes. Results differ with them by rounding alone, and none is repeated for it."""

    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto is cuda where there is a GPU.")
    gpus: int = Field(0, ge=0, description="GPUs of a machine to use, the first ones; 0 uses all.")
    workers: int = Field(
        1,
        ge=1,
        description="Pieces of work at a time, of whatever kind; a machine's cores and GPUs are divided among them.",
    )
    loaders: int = Field(0, ge=0, description="Data-loading processes a training; 0 loads in the training itself.")
    runner: Literal["threads", "dask", "ray"] = Field(
        "threads",
        description="What spreads the work: threads of this process, or the processes of a Dask or Ray cluster "
        "(extras dask and ray). On other machines, the store, the data sets and this repository must be shared folders "
        "under the same paths, and PREFECT_API_URL must name a server that all can reach.",
    )
    cluster: str | None = Field(
        None,
        min_length=1,
        description="Address of a running Dask scheduler or Ray head, which says itself how much it takes at a "
        "time; a local cluster of as many processes as workers says where not given.",
    )
    stalled_after: float | None = Field(
        1800,
        gt=0,
        description="Seconds without a line printed or a file written after which a worker is ended; null: never.",
    )

    @field_validator("runner")
    @classmethod
    def _installed(cls, runner: str) -> str:
        # Refused at once, and not only when the data sets have been read.
        if runner != "threads" and find_spec(f"prefect_{runner}") is None:
            raise ValueError(f"{runner} is not installed: pip install 'sim2real-pipeline[{runner}]'")
        return runner

    @model_validator(mode="after")
    def _cluster_has_a_runner(self) -> Self:
        if self.cluster is not None and self.runner == "threads":
            raise ValueError(f"cluster {self.cluster!r} needs runner: dask or runner: ray")
        return self

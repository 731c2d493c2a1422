"""The ``sample`` artifact: the embedded sample's files, as a simulator or a data set's owner would publish them."""

from __future__ import annotations

from typing import Any

from tasks.contracts import Artifact
from tasks.sample.write import write_sample
from tasks.store import Recipe, Store, code_version


def build_sample(store: Store, **drawn: Any) -> Artifact:
    """Return the ``sample`` artifact of one side and split; ``drawn`` are the arguments of ``write_sample``."""
    return store.build(sample_recipe(**drawn), lambda folder: write_sample(folder, **drawn))


def sample_recipe(**drawn: Any) -> Recipe:
    """What a ``sample`` artifact is made from: the arguments of ``write_sample``."""
    return Recipe("sample", config=drawn, inputs={}, code=code_version(__name__))

"""What can be said of an audit before any data is read: the networks whose features it compares."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.audit.config import AuditConfig
from tasks.settings import Problem, file_problems


def audit_problems(config: AuditConfig) -> Iterator[Problem]:
    """The problems of the ``audit`` section by itself."""
    if config.inception is not None:
        yield from file_problems(("inception",), config.inception.path, config.inception.sha256)

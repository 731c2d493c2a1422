"""What the command ends with."""

from __future__ import annotations

import signal

FINE, FAILED, CONFIGURATION, GATE, REGRESSION, INCOMPLETE = range(6)
INTERRUPTED = 128 + signal.SIGINT  # as shells have it
STOPPED = (INTERRUPTED, 128 + signal.SIGTERM, 128 + signal.SIGHUP)

# By name: the classes themselves would have to be imported, and with them torch and Prefect.
_STATUS = {
    "ConfigError": CONFIGURATION,
    "TaxonomyError": CONFIGURATION,
    "DatasetError": CONFIGURATION,
    "ItemError": CONFIGURATION,
    "NotAReport": CONFIGURATION,
    "AuditFailed": GATE,
    "ScoresDrifted": REGRESSION,
    "IncompleteRun": INCOMPLETE,
    "StoreError": FAILED,
    "RefusedError": CONFIGURATION,
    "ProcessError": FAILED,
    "GpuError": FAILED,
    "ExportError": FAILED,
    "WeightsError": FAILED,
}


def status_of(error: BaseException) -> int | None:
    """The exit status of a problem that is known, whose message is for people; None of any other."""
    ours = (kind for kind in type(error).__mro__ if kind.__module__.split(".")[0] in ("tasks", "flows"))
    return next((_STATUS[kind.__name__] for kind in ours if kind.__name__ in _STATUS), None)

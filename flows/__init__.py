"""The flows: ``augment`` (the whole chain), ``smoke`` (shrunk), ``audit``, ``train_translator`` and ``reevaluate``."""

import logging
import os
from pathlib import Path

SMOKE = Path("configs/pipelines/smoke.yaml")  # what is run where no pipeline is named: the embedded sample's

# Read by Prefect when it is first imported, which is after this.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_LOGGING_EXTRA_LOGGERS", "tasks,flows")
# The first temporary server in a new PREFECT_HOME migrates its database, which takes longer than Prefect's own limit.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")

for _name in ("tasks", "flows"):  # Prefect leaves the root logger at WARNING, which would hide all progress
    logging.getLogger(_name).setLevel(logging.INFO)

#!/usr/bin/env bash
# Registers the deployments with the server at PREFECT_API_URL and works on them.
set -euo pipefail
prefect=.venv/bin/prefect
"$prefect" work-pool create local --type process --overwrite
"$prefect" --no-prompt deploy --all
exec "$prefect" worker start --pool local

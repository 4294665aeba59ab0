#!/usr/bin/env bash
# Start Tallow and its monitoring on this machine (Linux, macOS). Needs Python 3.11 or later.
# Arguments go to `tallow up` (--engine, --port-offset N, --home FOLDER, --restart); running it again changes nothing that runs.
# After an upgrade it says that older code still runs. --restart restarts it; on a terminal it asks.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Step 1: find Python, and prepare .venv from the requirements locked with hashes.
"$checkout/scripts/env" run
# Step 2: start what does not run, and wait until it is healthy.
exec "$checkout/.venv/bin/tallow" up "$@"

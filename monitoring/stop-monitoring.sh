#!/usr/bin/env bash
# Stop what start-monitoring.sh started. Data is kept.
# --purge removes data, logs and credentials. It asks on a terminal; --yes, or no terminal, and it does not ask.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Step 1: see whether anything was started.
if [ ! -x "$checkout/.venv/bin/tallow" ]; then
    echo "tallow: nothing was started from this checkout"
    exit
fi
# Step 2: stop it.
exec "$checkout/.venv/bin/tallow" down "$@"

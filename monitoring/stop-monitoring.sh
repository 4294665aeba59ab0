#!/usr/bin/env bash
# Stop what start-monitoring.sh started. Data is kept; --purge removes it.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -x "$checkout/.venv/bin/tallow" ]; then
    echo "tallow: nothing was started from this checkout"
    exit
fi
exec "$checkout/.venv/bin/tallow" down "$@"

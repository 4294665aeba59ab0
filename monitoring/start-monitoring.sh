#!/usr/bin/env bash
# Start Tallow and its monitoring on this machine, with nothing prepared but Python 3.11 or later.
# Arguments go to `tallow up` (--port-offset N, --home FOLDER, --restart); running it again changes nothing that runs.
# After an upgrade it says that older code still runs. --restart restarts it; on a terminal it asks.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$checkout/scripts/env" run
exec "$checkout/.venv/bin/tallow" up "$@"

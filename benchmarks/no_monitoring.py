"""Tallow without its monitoring: nothing is recorded, exposed or reported.

``python -m benchmarks.no_monitoring serve|send|receive ...`` runs the command without the library's cost.
"""

from __future__ import annotations

import sys
from typing import Any

from tallow.cli import main
from tallow.monitoring.metrics import Metrics

RECORDING = ("record_", "set_", "transfer_", "connection_", "device_")


def nothing(*_: Any, **__: Any) -> None:
    return None


def disable_monitoring(verb: str) -> None:
    """Disable the monitoring of a command without importing more than the command does."""
    for name in dir(Metrics):
        if name.startswith(RECORDING):
            setattr(Metrics, name, nothing)
    if verb == "serve":
        from tallow.app.commands import serve
        from tallow.app.server import app as server

        server.instrument = nothing  # type: ignore[attr-defined]
        serve.configure_logging = serve.init_monitoring = nothing  # type: ignore[assignment]


if __name__ == "__main__":
    disable_monitoring(sys.argv[1])
    main(prog_name="tallow")

"""Tallow with its monitoring taken out: nothing is recorded, exposed or reported.

``python -m benchmarks.no_monitoring serve|send|receive ...`` is the command without what the library costs.
"""

from __future__ import annotations

import sys
from typing import Any

from tallow.cli import main
from tallow.monitoring.metrics import Metrics

RECORDING = ("record_", "set_", "transfer_", "connection_", "device_")


def nothing(*_: Any, **__: Any) -> None:
    return None


def silence(verb: str) -> None:
    """Take it out of what a verb uses, and load no more than the verb does."""
    for name in dir(Metrics):
        if name.startswith(RECORDING):
            setattr(Metrics, name, nothing)
    if verb == "serve":
        from tallow.app.commands import serve
        from tallow.app.server import app as server

        server.instrument = nothing  # type: ignore[attr-defined]
        serve.configure_logging = serve.init_monitoring = nothing  # type: ignore[assignment]


if __name__ == "__main__":
    silence(sys.argv[1])
    main(prog_name="tallow")

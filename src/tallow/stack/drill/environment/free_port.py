"""Free ports on loopback."""

from __future__ import annotations

import socket

_used: set[int] = set()


def free_port() -> int:
    """A free port that this function has not returned before."""
    while True:
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port: int = trial.getsockname()[1]
        if port not in _used:
            _used.add(port)
            return port

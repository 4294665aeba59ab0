"""An address of this machine by which a server does not take a client for one of its own programs."""

from __future__ import annotations

import socket

import pytest


def own_address() -> str:
    """An address of this machine that is not loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no address besides loopback")
        return str(probe.getsockname()[0])

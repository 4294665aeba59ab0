"""A transfer command loads no library that it does not use: most of the time of a small file is its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = "import sys, tallow.app.commands.{command}; print(*sorted(sys.modules))"
UNUSED = {
    "pydantic",  # settings of the log and of the server
    "pathspec",  # --exclude and --git
    "aiortc",  # only without a TCP connection
    "async_upnp_client",  # --port-mapping
    "segno",  # the QR code of a link
    "uvicorn",
    "sqlalchemy",
    "sentry_sdk",
}


@pytest.mark.parametrize("command", ["send", "receive"])
def test_a_transfer_starts_without_libraries_that_it_may_not_use(command: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(command=command)]
    loaded = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    assert "cryptography" in loaded
    assert UNUSED.isdisjoint(loaded)

"""SIGTERM ends each server although nobody reads its output and its log endpoint does not answer.

The promise is five seconds. A server that does not keep it is killed after three times as long, and the test
fails, so that a loaded machine does not decide.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.server_process import running

pytestmark = pytest.mark.integration

OTHERS = ("hypercorn", "daphne", "gunicorn", "granian")
SERVERS = ["uvicorn", *(pytest.param(name, marks=pytest.mark.proof) for name in OTHERS)]


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that nobody reads. The application fills it."""
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("server", SERVERS)
def test_sigterm_ends_a_server_whose_output_nobody_reads(server: str, full_pipe: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        variables = {"LOG_ENDPOINT": f"http://127.0.0.1:{black_hole.getsockname()[1]}"}
        # gunicorn's supervisor, which does not load the application, waits for its own standard error.
        errors = None if server == "gunicorn" else full_pipe
        with running(server, tmp_path, variables=variables, output=full_pipe, errors=errors) as started:
            assert b" 200 " in started.get("/noise")[:20]
            assert b" 200 " in started.get("/item/x")[:20]  # the event loop does not wait for the reader
            assert started.stop()


@pytest.mark.parametrize("server", SERVERS[:-1])  # granian itself does not start on a full disk
def test_sigterm_ends_a_server_whose_disk_is_full(server: str, tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with running(server, tmp_path, output=full) as started:
            assert b" 200 " in started.get("/noise")[:20]
            assert started.stop()
    finally:
        os.close(full)

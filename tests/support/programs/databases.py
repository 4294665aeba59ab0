"""Real PostgreSQL and Redis servers on loopback, started per test."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from support.programs.debian import environment, program

START_TIMEOUT_S = 120


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Redis server without persistence; yields its URL and its process."""
    path = program("redis-server")
    port = port or free_port()
    command = [str(path), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, env=environment(path), stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port) as client:
            _wait(process, lambda: bool(client.ping()), RedisError)
        yield f"redis://127.0.0.1:{port}", process
    finally:
        _end(process)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server with an empty database; yields its SQLAlchemy URL."""
    data, port = folder / "postgres", free_port()
    initdb, server = program("initdb"), program("postgres")
    made = subprocess.run(
        [*_as_user(), initdb, "-D", data, "-U", "tallow", "-A", "trust", "-E", "UTF8", "--no-sync"],
        env=environment(initdb),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    options = ["-c", f"unix_socket_directories={data}", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
    command = [*_as_user(), str(server), "-D", str(data), "-p", str(port), *options]
    with (folder / "postgres.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(server), stdout=log, stderr=log)
    try:
        _wait(process, lambda: "ready" in (data / "postmaster.pid").read_text(), OSError)
        yield f"postgresql://tallow@127.0.0.1:{port}/postgres"
    finally:
        _end(process)


def free_port() -> int:
    """A TCP port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_user() -> list[str]:
    """The command prefix that runs PostgreSQL in a user namespace: it refuses to run as root."""
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("PostgreSQL does not run as root, and user namespaces are not available")
    return namespace


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], error: type[Exception]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended while starting"
        with suppress(error):
            if ready():
                return
        time.sleep(0.02)
    raise TimeoutError("the server did not become ready")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(60)

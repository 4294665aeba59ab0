"""A server on a full disk is not ready, and is ready again when there is space.

The disk is a real one of two megabytes, which only root can mount.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.transfers.server import ServerProcess, tallow_serve
from tallow.monitoring.health.disk_space import has_space
from tallow.monitoring.health.responses import DETAILED, LIVENESS, READINESS

pytestmark = pytest.mark.integration
SIZE = 2 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this machine cannot mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write a file until the disk is full."""
    path = folder / "fill"
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(os.urandom(4096))
    return path


async def probe(server: ServerProcess, path: str) -> httpx.Response:
    """A probe's request, a second after the last one, whose answer is kept that long."""
    await asyncio.sleep(1.1)
    return await server.http.get(path)


async def test_a_server_with_its_database_on_a_full_disk_is_not_ready(disk: Path, tmp_path: Path) -> None:
    async with tallow_serve(disk) as server:
        assert (await probe(server, READINESS)).status_code == 200
        filling = fill(disk)
        for _ in range(3):
            answer = await probe(server, READINESS)
            assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])
            assert str(tmp_path) not in answer.text
        assert (await probe(server, LIVENESS)).status_code == 200
        filling.unlink()
        assert (await probe(server, READINESS)).status_code == 200
        await server.room(bytes(32))


def leave_space_in_the_log(database: Path) -> None:
    """Let SQLite's write-ahead log have space for the next transactions, as after much work."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("CREATE TABLE work (content BLOB)")
    connection.execute("INSERT INTO work VALUES (randomblob(400000))")
    connection.execute("DROP TABLE work")
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    assert database.with_name("tallow.db-wal").stat().st_size > 400_000
    connection.close()


async def test_a_full_disk_is_noticed_while_the_log_of_the_database_has_space(disk: Path) -> None:
    async with tallow_serve(disk) as server:
        assert (await probe(server, READINESS)).status_code == 200
        leave_space_in_the_log(disk / "tallow.db")
        fill(disk)
        await server.room(bytes(32))  # the last ones that can be created
        assert (await probe(server, READINESS)).json()["failing"] == ["database"]


async def test_a_full_disk_of_the_log_degrades_the_environment(disk: Path, tmp_path: Path) -> None:
    spool = disk / "spool"
    spool.mkdir()
    async with tallow_serve(tmp_path, LOG_SPOOL_DIR=str(spool)) as server:
        filling = fill(disk)
        answer = await probe(server, READINESS)
        assert (answer.status_code, answer.json()["degraded"]) == (200, ["environment"])
        components = (await probe(server, DETAILED)).json()["components"]
        assert components["environment"]["status"] == "degraded"
        filling.unlink()
        assert (await probe(server, READINESS)).json()["degraded"] == []


def test_a_full_disk_that_lets_a_file_be_created_has_no_space(disk: Path) -> None:
    assert has_space(disk)
    fill(disk)
    (disk / "empty").touch()
    assert not has_space(disk)
    assert not has_space(disk / "missing" / "folder")

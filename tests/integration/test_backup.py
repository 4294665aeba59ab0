"""The commands of docs/operations.md back up a stack and restore it after everything was removed."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from support.commands import ROOT
from support.fenced_blocks import blocks
from support.programs.debian import program
from support.stack import Stack, free_offset, wait_until
from tallow.stack import credentials
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("native"), pytest.mark.timeout(600)]

TIMEOUT_S = 240
BACKUP, RESTORE = (block.text for block in blocks("docs/operations.md") if not block.reason)


class Machine:
    """A user's home folder with a stack in the default place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = StateDir(folder / ".local" / "state" / "tallow")
        self.stack = Stack(self.home, StackOptions(free_offset(), str(folder), 1 / 10))

    def run(self, commands: str) -> str:
        """Run commands with bash, as the user would. They must succeed."""
        hidden = ("TALLOW_HOME", "XDG_STATE_HOME")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=environment | {"HOME": str(self.folder), "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rooms(self) -> list[tuple[object, ...]]:
        """The rows of the server's database."""
        [database] = self.home.data.joinpath("tallow").glob("*.db")
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT * FROM rooms").fetchall()

    def scrapes_before(self, moment: float) -> float:
        """How many scrapes of Tallow before a moment Prometheus has."""
        query = f'count_over_time(up{{job="tallow"}}[1h] @ {moment})'
        return self.stack.value(query) or 0.0


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)
    made = Machine(tmp_path)
    made.home.make()
    try:
        made.stack.start()
        yield made
    finally:
        lifecycle.stop(made.home)


@pytest.mark.proof
def test_a_stack_is_restored_from_its_backup(machine: Machine) -> None:
    wait_until(
        lambda: (machine.stack.value("count_over_time(up{job='tallow'}[1h])") or 0) >= 3, "three scrapes"
    )
    httpx.post(
        f"http://127.0.0.1:{machine.stack.port('tallow')}/api/rooms", json={"token_hash": "0" * 64}
    ).raise_for_status()
    wait_until(machine.rooms, "the room is stored")
    machine.run("tallow silence add HighErrorRate --for 2h --comment 'before the backup'")
    moment = machine.stack.value('max(timestamp(up{job="tallow"}))') or 0.0
    before = (machine.rooms(), machine.scrapes_before(moment), credentials.password(machine.home.secrets))

    machine.run(BACKUP)
    archive = machine.folder / "tallow-backup.tgz"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    names = machine.run("tar -tzf tallow-backup.tgz").splitlines()
    for part in ("secrets/monitoring_password", "data/tallow/", "data/prometheus/", "data/alertmanager/"):
        assert any(name.startswith(f"tallow/{part}") for name in names), part
    assert not any(name.startswith(("tallow/run/", "tallow/logs/")) for name in names)
    machine.run("tallow down --purge --yes")
    assert not machine.home.root.exists()

    machine.run(RESTORE)
    after = (machine.rooms(), machine.scrapes_before(moment), credentials.password(machine.home.secrets))
    assert after == before
    assert "before the backup" in machine.run("tallow silence list")
    assert stat.S_IMODE(machine.home.secrets.stat().st_mode) == 0o700

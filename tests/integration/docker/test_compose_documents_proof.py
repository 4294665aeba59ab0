"""The commands of the documents that need a Docker engine, run as they are, with a home folder of their own.

Every block whose comment says that this proof runs it stands in one of the tests below.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from support.docker.compose_stack import ComposeStack
from support.docker.engine import ROOT, DockerEngine
from support.fenced_blocks import blocks
from support.stack import wait_until
from tallow.stack.compose import images
from tallow.stack.engines.state.state_dir import StateDir

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

DOCUMENTS: Final = ("README.md", "docs/docker.md", "docs/operations.md", "monitoring/README.md")
REASON: Final = "scripts/proof -k compose runs it"
START, OUTAGE, BY_HAND, BUILD, GATEWAY, BACKUP, RESTORE = BLOCKS = [
    block.text for name in DOCUMENTS for block in blocks(name) if block.reason == REASON
]
[UPGRADE] = [block.text for block in blocks("docs/operations.md") if "git pull" in block.text]
NOTIFIED_S: Final = 240.0


@dataclass(frozen=True)
class User:
    """A user in whose home folder the stack is, in the default place and with the default ports."""

    engine: DockerEngine
    folder: Path
    checkout: Path = ROOT

    @property
    def stack(self) -> ComposeStack:
        return ComposeStack(self.engine, StateDir(self.folder / ".local" / "state" / "tallow"), self.folder)

    def run(self, commands: str, *, status: int = 0, folder: Path | None = None) -> str:
        """Run commands with bash, as the user would, by default in the checkout."""
        environment = os.environ | self.engine.environment
        environment["PATH"] = f"{self.checkout / '.venv' / 'bin'}{os.pathsep}{environment['PATH']}"
        with self.engine.network():
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", commands],
                cwd=folder or self.checkout,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
            )
        assert done.returncode == status, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def run_with_doctor(self, commands: str, folder: Path | None = None) -> None:
        """Run commands, the last of which is `tallow doctor`; this machine's disk may be full."""
        before, doctor, _ = commands.rpartition("tallow doctor")
        assert doctor
        self.run(before, folder=folder)
        checks = json.loads(self.run("tallow doctor --json || true", folder=folder))["checks"]
        assert {check["id"] for check in checks if check["outcome"] == "error"} <= {"disk"}

    def states(self) -> set[str]:
        services = json.loads(self.run("tallow status --json"))["services"]
        return {found["state"] for found in services.values()}


@pytest.fixture
def home_folder(engine: DockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's home folder, also for this process, which asks for containers by the default name."""
    for name in ("TALLOW_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def user(engine: DockerEngine, home_folder: Path) -> Iterator[User]:
    made = User(engine, home_folder)
    try:
        yield made
    finally:
        made.run("tallow down --purge --yes")


def test_the_documents_name_the_image_of_this_version() -> None:
    tags = {
        tag for name in DOCUMENTS for tag in re.findall(r"\btallow:\d+\.[\w.]*\d", (ROOT / name).read_text())
    }
    assert tags == {images.TALLOW}
    assert len({*BLOCKS}) == len(BLOCKS)


def test_from_the_start_to_a_notification_of_an_outage(user: User) -> None:
    begin = time.monotonic()
    user.run_with_doctor(START)
    send, kill, status, inbox, up = OUTAGE.splitlines()
    number = re.search(r"tallow inbox (\d+)", user.run(send))
    assert number
    assert "TEST" in user.run(f"tallow inbox {number[1]}")
    user.run(kill)
    assert "killed by SIGKILL" in user.run(status, status=1)
    subject = "[CRITICAL] Tallow on tallow:3000 does not answer"
    wait_until(lambda: subject in user.run(inbox), "the mail", NOTIFIED_S)
    print(f"from the first command to the notification of the outage: {time.monotonic() - begin:.0f} s")
    user.run(up)
    assert user.states() == {"healthy"}
    gateway = user.run(GATEWAY).strip()
    assert re.fullmatch(r"\d+(\.\d+){3}", gateway)


def test_the_printed_command_starts_a_prepared_stack(user: User) -> None:
    command = user.run(BY_HAND).partition("to start it: ")[2]
    assert command.startswith("docker compose ")
    user.run(command)
    assert user.states() == {"healthy"}


def test_the_image_is_built_with_and_without_webrtc(user: User) -> None:
    has_webrtc = "import importlib.util; print(importlib.util.find_spec('aiortc') is not None)"
    asked = f'docker run --rm --network none --entrypoint python {images.TALLOW} -c "{has_webrtc}"'
    plain, with_webrtc = BUILD.splitlines()
    try:
        user.run(with_webrtc)
        assert user.run(asked) == "True\n"
    finally:
        user.run(plain)
    assert user.run(asked) == "False\n"


def test_a_backup_is_restored_after_everything_was_removed(user: User) -> None:
    user.run("tallow up --engine docker")
    stack = user.stack
    wait_until(lambda: scrapes(stack) >= 2, "two scrapes")
    with user.engine.network():
        room = {"token_hash": "0" * 64}
        httpx.post("http://127.0.0.1:3000/api/rooms", json=room, trust_env=False).raise_for_status()
    user.run("tallow silence add HighErrorRate --for 2h --comment 'before the backup'")
    at = time.time()
    before = (rooms(stack), scrapes(stack, at), stack.login)
    folder = user.folder / "backup"
    folder.mkdir()
    user.run(BACKUP, folder=folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    user.run("tallow down --purge --yes")
    assert user.run("docker volume ls --quiet --filter label=com.docker.compose.project=tallow") == ""
    user.run_with_doctor(RESTORE, folder)
    assert (rooms(stack), scrapes(stack, at), stack.login) == before
    assert "before the backup" in user.run("tallow silence list")
    assert user.states() == {"healthy"}


@pytest.fixture
def upgraded(engine: DockerEngine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[User]:
    """A user with a clone of the version before the newest one, which this test makes."""
    git = ("git", "-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-C")
    newer, checkout = tmp_path / "newer", tmp_path / "checkout"
    run(*git, str(tmp_path), "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(newer))
    run(*git, str(newer), "checkout", "--quiet", "-B", "main")
    with (newer / "src" / "tallow" / "__init__.py").open("a") as file:
        file.write("# The newer version.\n")
    run(*git, str(newer), "commit", "--quiet", "--all", "--message", "Release the newer version")
    run(*git, str(tmp_path), "clone", "--quiet", "--branch", "main", f"file://{newer}", str(checkout))
    run(*git, str(checkout), "reset", "--quiet", "--hard", "HEAD~1")
    shutil.copytree(ROOT / "wheels", checkout / "wheels")
    run(str(checkout / "scripts" / "env"), "run")  # from PyPI, which the engine's network does not reach
    made = User(engine, request.getfixturevalue("home_folder"), checkout)
    engine.docker("tag", images.TALLOW, "tallow:kept")
    try:
        yield made
    finally:
        made.run("tallow down --purge --yes")
        engine.docker("tag", "tallow:kept", images.TALLOW)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def test_the_commands_of_an_upgrade_take_the_newer_code_and_keep_the_data(upgraded: User) -> None:
    upgraded.run("monitoring/start-monitoring.sh --engine docker --restart")
    stack = upgraded.stack
    assert not is_newer(stack)
    with upgraded.engine.network():
        room = {"token_hash": "0" * 64}
        httpx.post("http://127.0.0.1:3000/api/rooms", json=room, trust_env=False).raise_for_status()
    wait_until(lambda: scrapes(stack) >= 1, "a scrape")
    at = time.time()
    before = (rooms(stack), stack.login)
    upgraded.run_with_doctor(UPGRADE)
    assert is_newer(stack)
    assert (rooms(stack), stack.login) == before
    assert scrapes(stack, at) >= 1
    assert upgraded.states() == {"healthy"}


def is_newer(stack: ComposeStack) -> bool:
    program = "import tallow; print(open(tallow.__file__).read())"
    return "The newer version" in stack.engine.docker(
        "exec", stack.container_id("tallow"), "python", "-c", program
    )


def rooms(stack: ComposeStack) -> list[Any]:
    program = (
        "import sqlite3, glob, json\n"
        "db = sqlite3.connect(glob.glob('/var/lib/tallow/*.db')[0])\n"
        "print(json.dumps(db.execute('select * from rooms').fetchall(), default=str))\n"
    )
    found: list[Any] = json.loads(
        stack.engine.docker("exec", stack.container_id("tallow"), "python", "-c", program)
    )
    assert found
    return found


def scrapes(stack: ComposeStack, before: float | None = None) -> float:
    """How many scrapes of Tallow before a moment Prometheus has."""
    moment = f" @ {before:.3f}" if before else ""
    found = stack.query(f'count_over_time(up{{job="tallow"}}[1h]{moment})')
    return float(found[0]["value"][1]) if found else 0.0

"""`tallow up --engine docker` by a user who is not root: one of the group `docker`, and one who is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.docker.engine import ROOT, DockerEngine

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

USER, GROUP, DOCKER_GROUP = 4242, 4242, 4243
OFFSET = "20000"


@dataclass(frozen=True)
class OrdinaryUser:
    """A user with a home folder, who reaches the engine's socket if ``groups`` contain its group."""

    engine: DockerEngine
    folder: Path
    python: str

    def tallow(
        self, *arguments: str, groups: tuple[int, ...] = (DOCKER_GROUP,)
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(self.folder),
            "DOCKER_HOST": f"unix://{self.folder}/docker.sock",
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{sysconfig.get_path('purelib')}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self.engine.network():
            return subprocess.run(
                [self.python, "-m", "tallow", *arguments],
                cwd=self.folder,
                env=os.environ | self.engine.environment | environment,
                user=USER,
                group=GROUP,
                extra_groups=list(groups),
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )


@pytest.fixture(scope="module")
def user(engine: DockerEngine) -> Iterator[OrdinaryUser]:
    """The user, and a socket of the engine that belongs to the group, as Docker's package sets it up."""
    with tempfile.TemporaryDirectory(prefix="tallow-user-") as name:
        folder = Path(name)
        # pytest's folders are closed to other users, and so is the engine's socket in them.
        os.link(engine.folder / "docker.sock", folder / "docker.sock")
        os.chown(folder / "docker.sock", 0, DOCKER_GROUP)
        os.chown(folder, USER, GROUP)
        made = OrdinaryUser(engine, folder, interpreter())
        started = made.tallow("--version")
        if started.returncode:
            pytest.skip(f"other users cannot read this checkout or its environment: {started.stderr[-200:]}")
        try:
            yield made
        finally:
            made.tallow("down", "--purge")


def interpreter() -> str:
    """A Python of this version that every user may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, shutil.which("python3", path="/usr/bin"), shutil.which(version)):
        if program and answers(program):
            return program
    pytest.skip("every Python of this version belongs to root alone")


def answers(program: str) -> bool:
    test = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([program, "-c", test], user=USER, group=GROUP, check=False).returncode == 0
    except PermissionError:
        return False


def test_a_user_outside_of_the_group_gets_one_line(user: OrdinaryUser) -> None:
    done = user.tallow("up", "--engine", "docker", groups=())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "permission denied" in line
    assert "group docker" in line


def test_a_user_of_the_group_starts_uses_and_removes_a_stack(user: OrdinaryUser) -> None:
    started = user.tallow("up", "--engine", "docker", "--port-offset", OFFSET)
    assert started.returncode == 0, started.stderr
    found = json.loads(user.tallow("status", "--json").stdout)["services"]
    assert {service["state"] for service in found.values()} == {"healthy"}
    assert user.tallow("alerts", "test").returncode == 0
    assert "TEST" in user.tallow("inbox").stdout
    rotated = user.tallow("credentials", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    problems = json.loads(user.tallow("doctor", "--json").stdout)["checks"]
    # The space of this machine's disk is no matter of the stack.
    assert {check["id"] for check in problems if check["outcome"] == "error"} <= {"disk"}
    owners = {path.stat().st_uid for path in (user.folder / ".local").rglob("*")}
    assert owners == {USER}
    assert user.tallow("down", "--purge").returncode == 0
    assert not (user.folder / ".local" / "state" / "tallow").exists()

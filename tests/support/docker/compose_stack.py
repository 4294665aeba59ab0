"""A stack of containers in a private engine, driven by the commands of `tallow`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from support.docker.engine import DockerEngine
from tallow.stack import credentials
from tallow.stack.engines.docker.project import project
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import USER

COMMAND_S: Final = 600


@dataclass(frozen=True)
class ComposeStack:
    """A stack in a state folder.

    Attributes:
        work: the folder in which `up` runs; its ``.env`` has the settings.
        environment: further variables of its commands.
        port_offset: of `up`.
    """

    engine: DockerEngine
    home: StateDir
    work: Path
    environment: dict[str, str] = field(default_factory=dict)
    port_offset: int = 0

    @property
    def login(self) -> tuple[str, str]:
        """The user and password of the monitoring's pages."""
        return USER, credentials.password(self.home.secrets)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `tallow` in the engine's network."""
        with self.engine.network():
            return subprocess.run(
                [sys.executable, "-m", "tallow", *arguments, "--home", str(self.home.root)],
                cwd=self.work,
                env=os.environ | self.engine.environment | self.environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=COMMAND_S,
            )

    def tallow(self, *arguments: str) -> str:
        """Run a command that must succeed, and return its output."""
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stdout[-3000:], done.stderr[-3000:])
        return done.stdout

    def compose(self, *arguments: str) -> str:
        """Run Docker Compose on the stack's file, as an operator does by hand."""
        used = project(self.home)
        profiles = [part for profile in used.profiles for part in ("--profile", profile)]
        options = ["--project-name", used.name, "--file", used.file, "--env-file", used.environment_file]
        return self.engine.docker(
            "compose", *options, *profiles, *arguments, timeout=COMMAND_S, environment=self.environment
        )

    def container(self, service: str) -> dict[str, Any]:
        """What the engine says about a service's container."""
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", self.container_id(service)))
        return found[0]

    def container_id(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).strip()

    def get(self, port: int, path: str, login: tuple[str, str] | None = None, **query: str) -> httpx.Response:
        """Ask a port that is published without an offset, by default with the monitoring password."""
        with self.engine.network():
            return httpx.get(
                f"http://127.0.0.1:{port + self.port_offset}{path}",
                params=query,
                auth=login or self.login,
                timeout=30,
                trust_env=False,
            )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's series."""
        answer = self.get(9090, "/api/v1/query", query=expression).json()
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

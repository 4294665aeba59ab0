"""Run the Docker client and Docker Compose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tallow.stack.engines.errors import StackError

ASK_S: Final = 20.0
"""Seconds for a question to the daemon."""
CHANGE_S: Final = 1800.0
"""Seconds for a change; images may have to be fetched or built."""
_MAX_CHARACTERS: Final = 600
_SOCKET_REMEDY: Final = "; add this user to the group docker and sign in again, or choose --engine native"


class DockerUnavailableError(StackError):
    """There is no daemon, no client or no Compose v2. The text is one line with the reason."""


class DockerCommandError(StackError):
    """A command failed. The text is one line with its reason."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project of Docker Compose.

    Attributes:
        name: separates its containers and volumes from those of other stacks.
        file: the path of its Compose file.
        environment_file: the path of the variables of that file.
        profiles: of its services.
    """

    name: str
    file: str
    environment_file: str
    profiles: tuple[str, ...] = ()

    def compose(self, *arguments: str, seconds: float = ASK_S, stdin: str | None = None) -> str:
        """Run Docker Compose and return its output.

        Raises:
            DockerUnavailableError: it is not there.
            DockerCommandError: the command failed or did not end in time.
        """
        return run(self.command(*arguments), seconds, stdin)

    def command(self, *arguments: str) -> list[str]:
        """The command line of Docker Compose for this project."""
        profiles = [part for profile in self.profiles for part in ("--profile", profile)]
        return [
            *compose_program(),
            *("--project-name", self.name, "--file", self.file, "--env-file", self.environment_file),
            *(*profiles, "--progress", "quiet", *arguments),
        ]


@cache
def compose_program() -> tuple[str, ...]:
    """The command of Compose v2: the client's plugin, or the program of its own.

    Raises:
        DockerUnavailableError: there is neither.
    """
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) and _version(command).startswith("2"):
            return command
    raise DockerUnavailableError("Docker Compose v2 is not there (docker compose version)")


def require_docker() -> None:
    """Check that a daemon answers and Compose v2 is there.

    Raises:
        DockerUnavailableError: one of them is missing.
    """
    if shutil.which("docker") is None:
        raise DockerUnavailableError("the Docker client (docker) is not on the PATH")
    try:
        run(["docker", "version", "--format", "{{.Server.Version}}"])
    except DockerCommandError as error:
        remedy = _SOCKET_REMEDY if "permission denied" in str(error) else ""
        raise DockerUnavailableError(f"no Docker daemon answers: {error}{remedy}") from None
    compose_program()


def docker(*arguments: str, seconds: float = ASK_S) -> str:
    """Run the Docker client and return its output.

    Raises:
        DockerCommandError: the command failed or did not end in time.
    """
    return run(["docker", *arguments], seconds)


def docker_logs(container: str, lines: int) -> str:
    """The last lines that a container wrote, to its standard output and to its standard error.

    Raises:
        DockerCommandError: they cannot be read.
    """
    return run(["docker", "logs", "--tail", str(lines), container], merge=True)


def docker_json(*arguments: str) -> Any:
    """The JSON that the Docker client prints.

    Raises:
        DockerCommandError: the command failed, or printed something else.
    """
    output = docker(*arguments)
    try:
        return json.loads(output)
    except ValueError:
        raise DockerCommandError(f"docker {arguments[0]} printed no JSON: {_one_line(output)}") from None


def run(
    command: Sequence[str], seconds: float = ASK_S, stdin: str | None = None, *, merge: bool = False
) -> str:
    """Run a client and return its output.

    Args:
        command: the program and its arguments.
        seconds: to wait for its end.
        stdin: what it reads.
        merge: return its error output as well.

    Raises:
        DockerCommandError: it failed or did not end in time; one line.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin if stdin is not None else "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge else subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            env=os.environ | {"COMPOSE_ANSI": "never", "COMPOSE_MENU": "0", "DOCKER_CLI_HINTS": "false"},
        )
    except FileNotFoundError:
        raise DockerUnavailableError(f"{command[0]} is not on the PATH") from None
    except subprocess.TimeoutExpired:
        raise DockerCommandError(f"{command[0]} did not end within {seconds:.0f} s") from None
    if done.returncode:
        reason = _one_line(done.stderr or done.stdout)
        raise DockerCommandError(reason or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def _version(command: Sequence[str]) -> str:
    try:
        return run([*command, "version", "--short"]).strip().removeprefix("v")
    except StackError:
        return ""


def _one_line(errors: str) -> str:
    """The last line of a client's error output: its reason. Lines before it show the progress."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error response from daemon: ")[:_MAX_CHARACTERS] if lines else ""

"""Run apt and dpkg as an ordinary user, with package lists and a cache in a folder of this user."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallow.monitoring.integrations.proxy import ProxySettings

LISTS_VALID_S: Final = 86_400
COMMAND_TIMEOUT_S: Final = 600.0
"""A large package takes minutes; a mirror that hangs must not delay the stack forever."""
NETWORK_TIMEOUT_S: Final = 20
"""Seconds, for each connection and each pause in a download."""


class AptError(Exception):
    """A command failed. The text is one line with the reason."""


class Apt:
    """Apt with all of its files in one folder.

    Args:
        folder: for the package lists, the cache and the time of the last update.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = {
            "Dir::State::Lists": f"{folder}/lists",
            "Dir::Cache": f"{folder}/cache",
            "Debug::NoLocking": "1",
            "Acquire::http::Timeout": str(NETWORK_TIMEOUT_S),
            "Acquire::https::Timeout": str(NETWORK_TIMEOUT_S),
        }
        self._options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]

    def update(self, *, force: bool = False) -> None:
        """Fetch the package lists if they are older than a day or if forced.

        Raises:
            AptError: they cannot be fetched.
        """
        for name in ("lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        stamp = self._folder / "updated"
        if force or is_older(stamp, LISTS_VALID_S):
            run(["apt-get", "-q", *self._options, "update"])
            stamp.touch()

    def candidate(self, package: str) -> str:
        """The version that would be installed; empty if apt does not know the package."""
        output = run(["apt-cache", *self._options, "policy", package])
        found = re.search(r"^  Candidate: (\S+)$", output, re.MULTILINE)
        return found[1] if found and found[1] != "(none)" else ""

    def needed(self, package: str) -> list[str]:
        """The package and those of its dependencies that are not installed, by name."""
        output = run(
            [
                *("apt-get", "-q", *self._options),
                *("--simulate", "--no-install-recommends", "install", package),
            ]
        )
        return sorted({package, *re.findall(r"^Inst (\S+)", output, re.MULTILINE)})

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        """Download packages into a folder and return the files."""
        run(["apt-get", "-q", *self._options, "download", *packages], into)
        return sorted(into.glob("*.deb"))


def is_newer(version: str, than: str) -> bool:
    """Whether a Debian version is newer than another."""
    compared = subprocess.run(["dpkg", "--compare-versions", version, "gt", than], check=False)
    return compared.returncode == 0


def is_older(stamp: Path, seconds: float) -> bool:
    """Whether a file is missing or was last changed more than ``seconds`` ago."""
    return not stamp.exists() or time.time() - stamp.stat().st_mtime > seconds


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """Run a command and return its output.

    Raises:
        AptError: it failed or did not end in time.
    """
    proxies = ProxySettings.read(socks=None)  # apt supports SOCKS itself and rejects other forms
    environment = proxies.for_program(os.environ) | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            timeout=COMMAND_TIMEOUT_S,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("E: ")]
        reason = lines[0].removeprefix("E: ") if lines else f"{command[0]} ended with {error.returncode}"
        raise AptError(reason) from None
    except subprocess.TimeoutExpired:
        raise AptError(f"{command[0]} did not end within {COMMAND_TIMEOUT_S:.0f} s") from None
    return done.stdout

"""Real programs for tests: from the PATH, or from Debian packages unpacked into a private folder."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tallow.stack.engines.programs import debian
from tallow.stack.engines.programs.programs import PROGRAMS, ProgramSpec, fetch, find

_PACKAGES: Final = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "redis-server": "redis-server",
    "initdb": "postgresql-15",
    "postgres": "postgresql-15",
    "turnserver": "coturn",
    "slirp4netns": "slirp4netns",
    "miniupnpd": "miniupnpd-nftables",
    "nft": "nftables",
    "chromium": "chromium",
    "firefox-esr": "firefox-esr",
    "zsh": "zsh",
    "fish": "fish",
    "busybox": "busybox-static",
    "mmdebstrap": "mmdebstrap",
}


@cache
def program(name: str) -> Path:
    """The path of a program, by its Debian or upstream name (``alertmanager``).

    Skips the test if neither the PATH nor apt has the program. Run it with :func:`environment`, so that it
    finds the libraries unpacked beside it.
    """
    names = next((one.names for one in PROGRAMS.values() if name in one.names), (name,))
    wanted = ProgramSpec(names, _PACKAGES[name])
    if found := find(wanted):
        return found.path
    if not debian.available():
        pytest.skip(f"{name} is neither on the PATH nor available from apt")
    return fetch(wanted).path


def environment(path: Path) -> dict[str, str]:
    """The environment for a program that :func:`program` found."""
    package = _PACKAGES.get(path.name)
    root = next((folder for folder in path.parents if folder.name == package), None)
    return os.environ | (debian.libraries(root) if root else {})

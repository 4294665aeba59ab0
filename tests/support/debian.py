"""Real programs for tests: from the PATH, or Debian's packages with what they need, unpacked privately."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Final

import pytest

_TOOLS: Final = Path(__file__).parents[2] / ".tools" / "debian"
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
    "chromium": "chromium",
}
_FOLDERS: Final = ("usr/bin", "usr/sbin", "usr/lib/postgresql/15/bin")
_ELSEWHERE: Final = "/usr/sbin:/usr/lib/postgresql/15/bin"
_LISTS_ARE_FRESH_S: Final = 86_400


@cache
def program(name: str) -> Path:
    """The path of a program. Skips the test where neither the PATH nor apt has it.

    Run it with :func:`environment`, so that it finds the libraries unpacked beside it.
    """
    if found := shutil.which(name, path=f"{os.environ['PATH']}:{_ELSEWHERE}"):
        return Path(found)
    package = _PACKAGES[name]
    root = _TOOLS / package
    if not root.exists():
        if not shutil.which("apt-get"):
            pytest.skip(f"{name} is neither on the PATH nor to be had from apt")
        _unpack(package, root)
    return next(root / folder / name for folder in _FOLDERS if (root / folder / name).exists())


def environment(path: Path) -> dict[str, str]:
    """The environment for a program that :func:`program` found."""
    if not path.is_relative_to(_TOOLS):
        return dict(os.environ)
    package = _TOOLS / path.relative_to(_TOOLS).parts[0]
    libraries = [*package.glob("usr/lib/*-linux-gnu"), *package.glob("lib/*-linux-gnu")]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}


def _unpack(package: str, root: Path) -> None:
    for folder in ("lists/partial", "cache/archives/partial"):
        (_TOOLS / folder).mkdir(parents=True, exist_ok=True)
    private = (f"Dir::State::Lists={_TOOLS}/lists", f"Dir::Cache={_TOOLS}/cache", "Debug::NoLocking=1")
    apt = ["apt-get", "-q", *(part for option in private for part in ("-o", option))]
    with (_TOOLS / "lock").open("w") as lock:  # tests run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        if root.exists():
            return
        stamp = _TOOLS / "updated"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > _LISTS_ARE_FRESH_S:
            subprocess.run([*apt, "update"], check=True, capture_output=True)
            stamp.touch()
        draft, archives = root.with_suffix(".half"), root.with_suffix(".packages")
        shutil.rmtree(draft, ignore_errors=True)
        archives.mkdir(exist_ok=True)
        # What installing it would bring, as far as the system does not have it.
        plan = [*apt, "--simulate", "--no-install-recommends", "install", package]
        said = subprocess.run(plan, check=True, capture_output=True, text=True).stdout
        wanted = sorted({package, *re.findall(r"^Inst (\S+)", said, re.MULTILINE)})
        subprocess.run([*apt, "download", *wanted], check=True, capture_output=True, cwd=archives)
        for archive in archives.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, draft], check=True)
        shutil.rmtree(archives)
        draft.rename(root)

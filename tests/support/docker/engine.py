"""A private Docker engine: Debian's, unpacked, in mount and network namespaces of its own.

Its bridges, rules and published ports do not touch the machine. Everything ends with its process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tallow.stack.engines.programs import debian
from tallow.stack.engines.programs.programs import tools_folder

START_S: Final = 120.0
STOP_S: Final = 120.0
ROOT: Final = Path(__file__).parents[3]
REQUIREMENTS: Final = ROOT / "requirements" / "compose.txt"
NOTHING: Final[Mapping[str, str]] = {}
_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET
_START: Final = """
set -eu
mount --make-rprivate /
mount --make-rshared /
ip link set lo up
exec dockerd --data-root "$1/data" --exec-root "$1/exec" -p "$1/pid" -H "unix://$1/docker.sock" \\
    --default-ulimit nofile=20000:20000 --default-ulimit nproc=30000:30000
"""
"""The limits: without them runc asks for higher ones than this process may set."""


@dataclass(frozen=True)
class DockerEngine:
    """A running engine.

    Attributes:
        folder: with its socket, data and log.
        pid: of its process, whose network namespace has the published ports.
    """

    folder: Path
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which clients reach it."""
        return {
            "DOCKER_HOST": f"unix://{self.folder}/docker.sock",
            "DOCKER_BUILDKIT": "0",  # BuildKit is not in Debian's packages
            "DOCKER_CONFIG": str(client_config()),
            "PATH": f"{client_folder()}:{os.environ['PATH']}",
        }

    def docker(
        self, *arguments: str, check: bool = True, environment: Mapping[str, str] = NOTHING, **options: Any
    ) -> str:
        """Run the client and return its output; without ``check`` also its error output."""
        done = subprocess.run(
            ["docker", *arguments],
            env=os.environ | self.environment | dict(environment),
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert not check or done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-4000:])
        return str(done.stdout) + ("" if check else str(done.stderr))

    def process_file(self, pid: int, name: str) -> str:
        """A file of ``/proc`` about a process of a container: the engine shares this machine's processes."""
        return Path(f"/proc/{pid}/{name}").read_text()

    @contextlib.contextmanager
    def network(self) -> Iterator[None]:
        """Move this thread, and the processes that it starts, into the engine's network."""
        own_path, its_path = Path("/proc/thread-self/ns/net"), Path(f"/proc/{self.pid}/ns/net")
        with own_path.open("rb") as own, its_path.open("rb") as its:
            _set_namespace(its.fileno())
            try:
                yield
            finally:
                _set_namespace(own.fileno())


@contextlib.contextmanager
def docker_engine(folder: Path) -> Iterator[DockerEngine]:
    """Run an engine. The test is skipped, with the reason, where none can start."""
    root = _packages()
    path = _program_path(root, folder / "bin")
    environment = os.environ | debian.libraries(root) | {"PATH": path, "XTABLES_LIBDIR": _xtables(root)}
    log = folder / "dockerd.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "sh", "-c", _START, "sh", str(folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    engine = DockerEngine(folder, process.pid)
    try:
        _wait_until_ready(engine, process, log)
        yield engine
    finally:
        _stop(engine, process)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _packages() -> Path:
    """The unpacked packages of the engine."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a private Docker engine needs Linux, root and unshare")
    if not debian.available():
        pytest.skip("a private Docker engine needs apt, for Debian's docker.io")
    try:
        return debian.unpack("docker.io", tools_folder())
    except debian.PackageError as error:
        pytest.skip(f"no Docker engine: {error}")


def _program_path(root: Path, links: Path) -> str:
    """The PATH of the engine. Debian makes the link `iptables` when the package is installed, not before."""
    links.mkdir(parents=True)
    legacy = root / "usr" / "sbin" / "xtables-legacy-multi"
    if legacy.exists():
        for name in ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-restore"):
            (links / name).symlink_to(legacy)
    return f"{links}:{root}/usr/sbin:{root}/usr/bin:{os.environ['PATH']}"


def _xtables(root: Path) -> str:
    found = next(root.glob("usr/lib/*-linux-gnu/xtables"), None)
    return str(found) if found else ""


def _wait_until_ready(engine: DockerEngine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while "API" not in engine.docker("version", "--format", "API {{.Server.Version}}", check=False):
        if process.poll() is not None:
            pytest.skip(f"no Docker engine starts here: {_last_line(log)}")
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it wrote nothing"


def _stop(engine: DockerEngine, process: subprocess.Popen[bytes]) -> None:
    """Remove the containers and end the engine; it ends containerd and the containers' shims."""
    if process.poll() is None:
        if running := engine.docker("ps", "-aq", check=False).split():
            engine.docker("rm", "-f", *running, check=False)
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@cache
def client_folder() -> Path:
    """A folder with the Docker client, or the one of the PATH."""
    if shutil.which("docker"):
        return Path(str(shutil.which("docker"))).parent
    return debian.unpack("docker.io", tools_folder()) / "usr" / "bin"


@cache
def client_config() -> Path:
    """The client's configuration folder, with Compose as its plugin, from PyPI."""
    folder = tools_folder() / "docker-client"
    plugin = folder / "cli-plugins" / "docker-compose"
    if not plugin.exists():
        draft = folder / "draft"
        install = [
            "pip",
            "install",
            "--quiet",
            "--target",
            str(draft),
            "--require-hashes",
            "-r",
            str(REQUIREMENTS),
        ]
        uv = subprocess.run([ROOT / "scripts" / "env", "--uv"], check=True, capture_output=True, text=True)
        subprocess.run([uv.stdout.strip(), *install], check=True)
        plugin.parent.mkdir(parents=True, exist_ok=True)
        (draft / "compose" / "docker-compose").rename(plugin)
        plugin.chmod(0o755)
        shutil.rmtree(draft)
    return folder


def _set_namespace(descriptor: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "the engine's network namespace cannot be entered")

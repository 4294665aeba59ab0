"""croc on this machine: its relay and its commands, built from its Go module once per machine."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.wormhole import free_port, wait_for_port

MODULE: Final = "github.com/schollz/croc/v10@v10.7.0"
CACHE: Final = Path.home() / ".cache" / "tallow-go"
PORTS: Final = 5
"""Of a relay: one for the meeting, and four for data, which croc uses at the same time."""
BUILD_TIMEOUT_S: Final = 3600


@dataclass(frozen=True)
class Croc:
    """The program and its relay: the first of its ports, and its process id."""

    program: Path
    port: int
    relay: int

    def commands(self, path: Path, folder: Path, *, relayed: bool) -> tuple[list[str], list[str]]:
        """The commands to send and to receive, through the relay or directly.

        Directly the receiver connects to the sender, whose process has a relay of its own.
        """
        common = [str(self.program), "--relay", f"127.0.0.1:{self.port}", "--yes", "--ignore-stdin"]
        own = first_of_free_ports()
        send = [
            *common,
            "--disable-clipboard",
            "send",
            *(["--no-local"] if relayed else ["--port", str(own)]),
        ]
        receive = [*common, *([] if relayed else ["--ip", f"127.0.0.1:{own}"]), "--out", str(folder)]
        return [*send, str(path)], receive

    @staticmethod
    def environment(home: str) -> dict[str, str]:
        """The environment of both commands, with the code of one transfer."""
        return os.environ | {"HOME": home, "CROC_SECRET": f"{secrets.token_hex(8)}-bench"}


def find_croc() -> Path | None:
    """croc from the PATH, or built from its module; None, with a reason on standard error, without Go."""
    found = shutil.which("croc") or shutil.which("croc", path=str(CACHE / "croc"))
    if found:
        return Path(found)
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        print("croc is not measured: neither croc nor Go is installed", file=sys.stderr)
        return None
    folders = {"GOPATH": str(CACHE), "GOBIN": str(CACHE / "croc"), "GOFLAGS": "-p=1 -modcacherw"}
    done = subprocess.run(
        [go, "install", MODULE],
        env=os.environ | folders,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        print(f"croc is not measured: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return CACHE / "croc" / "croc"


@contextmanager
def croc_relay(program: Path) -> Iterator[Croc]:
    """A relay on loopback, as long as the block runs."""
    port = first_of_free_ports()
    ports = ",".join(str(port + number) for number in range(PORTS))
    with tempfile.TemporaryDirectory(prefix="tallow-bench-") as home:
        process = subprocess.Popen(
            [program, "relay", "--host", "127.0.0.1", "--ports", ports],
            env=os.environ | {"HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(port)
            yield Croc(program, port, process.pid)
        finally:
            process.terminate()
            process.wait()


def first_of_free_ports() -> int:
    """The first of consecutive ports that are free now."""
    while True:
        first = free_port()
        with suppress(OSError, OverflowError), ExitStack() as stack:
            for number in range(PORTS):
                stack.enter_context(socket.create_server(("127.0.0.1", first + number)))
            return first

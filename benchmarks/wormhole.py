"""magic-wormhole on this machine: its mailbox server, its transit relay, and its commands."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Wormhole:
    """The ports of its servers; ``relay`` and ``meeting`` are the process ids of relay and mailbox."""

    mailbox: int
    transit: int
    relay: int
    meeting: int

    def commands(self, path: Path, folder: Path, *, relayed: bool) -> tuple[list[str], list[str]]:
        """The commands to send and to receive, through the relay or over the fastest connection."""
        common = [
            str(BIN / "wormhole"),
            *("--relay-url", f"ws://127.0.0.1:{self.mailbox}/v1"),
            *("--transit-helper", f"tcp:127.0.0.1:{self.transit}"),
        ]
        code, listen = "7-bench-mark", ["--no-listen"] if relayed else []
        send = [*common, "send", "--hide-progress", "--no-qr", *listen, "--code", code, str(path)]
        receive = [*common, "receive", "--hide-progress", "--accept-file", *listen, "-o", str(folder), code]
        return send, receive


@contextmanager
def wormhole(folder: Path) -> Iterator[Wormhole]:
    mailbox, transit = free_port(), free_port()
    services = [
        [
            "wormhole-mailbox",
            f"--port=tcp:{mailbox}:interface=127.0.0.1",
            f"--channel-db={folder / 'mailbox'}",
        ],
        ["transitrelay", f"--port=tcp:{transit}:interface=127.0.0.1"],
    ]
    running = [
        subprocess.Popen(
            [BIN / "twist", *service], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for service in services
    ]
    try:
        for port in (mailbox, transit):
            wait_for_port(port)
        yield Wormhole(mailbox, transit, running[1].pid, running[0].pid)
    finally:
        for process in running:
            process.terminate()
            process.wait()


def wait_for_port(port: int, seconds: float = 120) -> None:
    """Wait until a port accepts connections."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])

"""File transfers over a relay and directly, compared with magic-wormhole and croc and their own servers.

Measures the time, the CPU time of the servers, and the CPU time that monitoring adds to everything.
``TALLOW_BENCH_BYTES`` sets the file size (default: 1 GB); figures are per gigabyte.
"""

from __future__ import annotations

import compileall
import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import psutil

import tallow
from benchmarks.croc import Croc, croc_relay, find_croc
from benchmarks.paired_measurement import Row, summed
from benchmarks.plain_tcp import seconds_from_memory_to_memory
from benchmarks.wormhole import Wormhole, free_port, wait_for_port, wormhole

SIZE = int(os.environ.get("TALLOW_BENCH_BYTES", "1000000000"))
GIGABYTES = SIZE / 1e9
ROUNDS = 3
SMALL_FILES = 10_000
SMALL_BYTES = 1_000
TINY = f"one file of {SMALL_BYTES} bytes, directly"
"""What starting and ending costs."""
PAIRS = 13
"""Rounds with and without monitoring. The difference is small beside the noise."""
TALLOW = [sys.executable, "-m", "tallow"]
QUIET = [sys.executable, "-m", "benchmarks.no_monitoring"]
ENVIRONMENT = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""logfire, a peer of another benchmark, has a plugin for pydantic that takes half a second at each start."""


T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """The cost of one transfer.

    Attributes:
        seconds: from the start of the sender to the end of both sides.
        server, whole: CPU seconds of the server, and of all three processes.
        flow: seconds from the first byte to the receiver's confirmation; 0 for other programs.
    """

    seconds: float
    server: float
    whole: float
    flow: float = 0.0


Pairs = list[tuple[Cost, Cost]]


def rows() -> list[Row]:
    """The table's rows on transfers."""
    compile_programs()
    with tempfile.TemporaryDirectory(prefix="tallow-bench-") as scratch:
        folder = Path(scratch)
        path = large_file(folder / "file.bin")
        small = small_files(folder / "small")
        tiny = folder / "tiny.bin"
        tiny.write_bytes(random.randbytes(SMALL_BYTES))
        with serving(TALLOW, folder / "on") as ours, wormhole(folder) as theirs:

            def measured_pairs(sent: Path, *, relayed: bool) -> Pairs:
                return [beside_wormhole(turn, ours, theirs, sent, relayed=relayed) for turn in range(ROUNDS)]

            relayed = measured_pairs(path, relayed=True)
            direct = measured_pairs(path, relayed=False)
            flow = [beside_plain_tcp(turn, ours, path) for turn in range(ROUNDS)]
            many = measured_pairs(small, relayed=False)
            one = measured_pairs(tiny, relayed=False)
            against_croc = croc_rows(ours, path, small, tiny)
        with serving(TALLOW, folder / "on") as on, serving(QUIET, folder / "off") as off:
            pairs = [on_and_off(turn, on, off, path) for turn in range(PAIRS)]
    work = f"{SMALL_FILES:,} files of {SMALL_BYTES} bytes, directly"
    return [
        _row("over the relay", "magic-wormhole, its relay", _seconds(relayed), 1.0),
        _row("directly over TCP", "magic-wormhole, direct TCP", _seconds(direct), 1.0),
        _row(
            "directly, from the first byte to the confirmation",
            "AES-256-GCM over streams, in memory",
            flow,
            1.2,
        ),
        _row("CPU of the relay's server", "magic-wormhole's relay", _server(relayed)),
        _row(
            "CPU of the server, directly",
            "magic-wormhole's relay, over it",
            _server_without_relay(direct, relayed),
        ),
        summed(work, "magic-wormhole, as one archive", _seconds(many), 1, None, "s", 1.0),
        summed(TINY, "magic-wormhole", _seconds(one), 1, None, "s", 1.0),
        *against_croc,
        _row("CPU of all, over the relay, monitoring on", "monitoring off", _whole(pairs), 1.01),
    ]


def croc_rows(ours: Server, path: Path, small: Path, tiny: Path) -> list[Row]:
    """The same transfers beside croc's; none without croc."""
    program = find_croc()
    if program is None:
        return []
    with croc_relay(program) as theirs:

        def measured_pairs(sent: Path, *, relayed: bool) -> Pairs:
            return [beside_croc(turn, ours, theirs, sent, relayed=relayed) for turn in range(ROUNDS)]

        relayed = measured_pairs(path, relayed=True)
        direct = measured_pairs(path, relayed=False)
        many = measured_pairs(small, relayed=False)
        one = measured_pairs(tiny, relayed=False)
    work = f"{SMALL_FILES:,} files of {SMALL_BYTES} bytes, directly"
    return [
        _row("over the relay", "croc, its relay", _seconds(relayed)),
        _row("directly over TCP", "croc, direct", _seconds(direct)),
        summed(work, "croc", _seconds(many), 1, None, "s", 1.0),
        summed(TINY, "croc", _seconds(one), 1, None, "s", 1.0),
    ]


def _seconds(pairs: Pairs) -> list[tuple[float, float]]:
    return [(ours.seconds, theirs.seconds) for ours, theirs in pairs]


def _server(pairs: Pairs) -> list[tuple[float, float]]:
    return [(ours.server, theirs.server) for ours, theirs in pairs]


def _server_without_relay(direct: Pairs, relayed: Pairs) -> list[tuple[float, float]]:
    """Our server when peers connect directly, and their relay when it is used: unused, it uses no time."""
    return [(ours.server, theirs.server) for (ours, _), (_, theirs) in zip(direct, relayed, strict=True)]


def _whole(pairs: Pairs) -> list[tuple[float, float]]:
    return [(ours.whole, theirs.whole) for ours, theirs in pairs]


def _row(work: str, peer: str, samples: Sequence[tuple[float, float]], aim: float | None = None) -> Row:
    per_gigabyte = [(ours / GIGABYTES, theirs / GIGABYTES) for ours, theirs in samples]
    return summed(f"1 GB, {work}", peer, per_gigabyte, 1, aim, "s", 1.0)


def compile_programs() -> None:
    """Compile ours and the peers', as installers do. Otherwise each start compiles all that it imports where
    ``PYTHONDONTWRITEBYTECODE`` is set."""
    for folder in (sysconfig.get_path("purelib"), Path(tallow.__file__).parent, Path(__file__).parent):
        compileall.compile_dir(folder, quiet=2)


def large_file(path: Path) -> Path:
    """A file of random bytes."""
    with path.open("wb") as file:
        for _ in range(SIZE // 1_000_000):
            file.write(random.randbytes(1_000_000))
    return path


def small_files(folder: Path) -> Path:
    """A folder with many small files."""
    folder.mkdir()
    for number in range(SMALL_FILES):
        (folder / f"{number:05}.bin").write_bytes(random.randbytes(SMALL_BYTES))
    return folder


@dataclass(frozen=True)
class Server:
    """A running `tallow serve`, and the command that runs its peers."""

    command: list[str]
    url: str
    pid: int


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[Server]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [*command, "serve", "--port", str(port), "--data-dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield Server(command, f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait()


def in_turn(turn: int, ours: Callable[[], T], theirs: Callable[[], T]) -> tuple[T, T]:
    """One measurement of each; the order alternates."""
    if turn % 2:
        second = theirs()
        return ours(), second
    return ours(), theirs()


def beside_wormhole(
    turn: int, ours: Server, theirs: Wormhole, path: Path, *, relayed: bool
) -> tuple[Cost, Cost]:
    return in_turn(
        turn,
        lambda: by_tallow(ours, path, relayed=relayed),
        lambda: by_wormhole(theirs, path, relayed=relayed),
    )


def beside_croc(turn: int, ours: Server, theirs: Croc, path: Path, *, relayed: bool) -> tuple[Cost, Cost]:
    return in_turn(
        turn, lambda: by_tallow(ours, path, relayed=relayed), lambda: by_croc(theirs, path, relayed=relayed)
    )


def beside_plain_tcp(turn: int, ours: Server, path: Path) -> tuple[float, float]:
    """Seconds of the data alone, of a direct transfer and from memory to memory."""
    return in_turn(
        turn, lambda: by_tallow(ours, path, relayed=False).flow, lambda: seconds_from_memory_to_memory(SIZE)
    )


def on_and_off(turn: int, on: Server, off: Server, path: Path) -> tuple[Cost, Cost]:
    return in_turn(
        turn, lambda: by_tallow(on, path, relayed=True), lambda: by_tallow(off, path, relayed=True)
    )


def by_tallow(server: Server, path: Path, *, relayed: bool) -> Cost:
    """A transfer by `tallow send` and `tallow receive`; a relay preference of `direct` forbids the relay."""
    with transfer_home(path) as home:
        settings = Path(home) / "config" / "tallow" / "settings.json"
        settings.parent.mkdir(parents=True, mode=0o700)
        settings.write_text(json.dumps({"settings": {"relay_preference": "auto" if relayed else "direct"}}))
        environment = ENVIRONMENT | {"XDG_STATE_HOME": f"{home}/state", "XDG_CONFIG_HOME": f"{home}/config"}
        silent = ["--no-telemetry"] if server.command is QUIET else []
        flags = ["--json", *silent, *(["--relay"] if relayed else [])]
        with measured(server.pid) as cost:
            sender = subprocess.Popen(
                [*server.command, "send", "--server", server.url, "--no-qr", *flags, str(path)],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert sender.stdout
            link = next(
                event["link"] for line in sender.stdout if (event := json.loads(line))["event"] == "link"
            )
            receiver = subprocess.Popen(
                [*server.command, "receive", "--yes", "-o", f"{home}/in", *flags],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            assert receiver.stdin
            receiver.stdin.write(link)
            receiver.stdin.close()
            events, _ = sender.communicate()  # a full pipe would stop the transfer
            receiver.wait()
        check_received(Path(home) / "in" / path.name, path, sender, receiver)
        flow = next(
            event for line in events.splitlines() if (event := json.loads(line))["event"] == "finished"
        )
    return replace(cost[0], flow=flow["seconds"])


def by_wormhole(servers: Wormhole, path: Path, *, relayed: bool) -> Cost:
    """A transfer by `wormhole send` and `wormhole receive`."""
    with transfer_home(path) as home:
        send, receive = servers.commands(path, Path(home) / path.name, relayed=relayed)
        with measured(servers.relay) as cost:
            running = run_in_order(send, receive, b"code is", ENVIRONMENT)
        check_received(Path(home) / path.name, path, *running)
    return cost[0]


def by_croc(relay: Croc, path: Path, *, relayed: bool) -> Cost:
    """A transfer by `croc send` and `croc`."""
    with transfer_home(path) as home:
        folder = Path(home) / "in"
        folder.mkdir()
        send, receive = relay.commands(path, folder, relayed=relayed)
        environment = relay.environment(home)
        with measured(relay.relay) as cost:
            running = run_in_order(send, receive, b"Code is", environment)
        check_received(folder / path.name, path, *running)
    return cost[0]


def run_in_order(
    send: list[str], receive: list[str], ready: bytes, environment: dict[str, str]
) -> list[subprocess.Popen[bytes]]:
    """Run a peer's commands to their end. As a person would, start to receive once the code is shown.

    Args:
        ready: what the sender writes to standard error with the code.
    """
    sender = subprocess.Popen(send, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert sender.stderr
    shown = b""
    while ready not in shown:
        shown += sender.stderr.read1(4096)  # type: ignore[attr-defined]
        if sender.poll() is not None:
            raise RuntimeError(f"{send[0]} has not sent: {shown[-200:]!r}")
    receiver = subprocess.Popen(
        receive, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    sender.communicate()
    receiver.wait()
    return [sender, receiver]


@contextmanager
def transfer_home(path: Path) -> Iterator[str]:
    """A folder for one transfer of ``path``, beside it.

    Small files stay until the end: ext4 searches past the inodes of recently deleted files at each new file.
    """
    home = tempfile.mkdtemp(dir=path.parent)
    yield home
    if path.is_file():
        shutil.rmtree(home)


def check_received(received: Path, path: Path, *processes: subprocess.Popen[Any]) -> None:
    statuses = [process.returncode for process in processes]
    if any(statuses) or size_of(received) != size_of(path):
        raise RuntimeError(f"the transfer ended with {statuses}")


def size_of(path: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


@contextmanager
def measured(server: int) -> Iterator[list[Cost]]:
    """The cost of a block whose child processes are those of the transfer.

    What an earlier transfer has not synced is written before.
    """
    os.sync()
    cost: list[Cost] = []
    before, children, started = cpu(server), os.times(), perf_counter()
    yield cost
    seconds, after = perf_counter() - started, os.times()
    spent = after.children_user + after.children_system - children.children_user - children.children_system
    in_server = cpu(server) - before
    cost.append(Cost(seconds, in_server, spent + in_server))


def cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system

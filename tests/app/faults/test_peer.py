"""Fault switches of the peers: not imported by default, and effective when switched on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.transfers.peers import SHORT_WAITS, receive, send, transfer_files
from support.transfers.server import RunningServer, serving
from tallow.app.faults.peer import LIMITS, BadFaultError, install, parse
from tallow.app.peer.options import TransferOptions

pytestmark = pytest.mark.slow

RELAYED = TransferOptions(relay="relay", tallow_relay=True, timing=SHORT_WAITS)
DIRECT = TransferOptions(timing=SHORT_WAITS)
Switch = Callable[[str], None]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server") as running:
        yield running


@pytest.fixture
def switch() -> Iterator[Switch]:
    undo: list[Callable[[], None]] = []
    yield lambda text: undo.append(install(text))
    for each in reversed(undo):
        each()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "x.bin"
    made.write_bytes(os.urandom(1_000_000))
    return made


def modules(**environment: str) -> list[str]:
    code = (
        "import sys, click\n"
        "from tallow.app.commands.options.common_options import load_faults\n"
        "import tallow.app.commands.send, tallow.app.commands.receive, tallow.app.commands.demo\n"
        "load_faults()\n"
        "print([name for name in sys.modules if 'faults' in name])"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TALLOW_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(done.stdout.replace("'", '"'))
    return found


def test_fault_code_is_not_imported_unless_requested() -> None:
    assert modules() == modules(TALLOW_PEER_FAULTS="throttle=1") == modules(TALLOW_FAULTS="0") == []
    assert "tallow.app.faults.peer" in modules(TALLOW_FAULTS="1")


def test_names_and_amounts_are_parsed() -> None:
    assert parse(" throttle = 1e6 , fail_keys=0.5,") == {"throttle": 1e6, "fail_keys": 0.5}
    assert parse("") == {}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("amount", ["", "=", "=0", "=-1", "=x", "=nan", "=inf", "=1e99"])
def test_an_invalid_amount_is_refused(name: str, amount: str) -> None:
    with pytest.raises(
        BadFaultError, match=rf"^TALLOW_PEER_FAULTS: {name}: accepted: a number above 0 up to "
    ):
        parse(name + amount)


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(BadFaultError, match=r"^TALLOW_PEER_FAULTS: unknown fault; accepted: delay_keys, "):
        parse("explode=1")


@pytest.mark.parametrize(
    ("faults", "address", "expected"),
    [
        ("explode=1", "http://127.0.0.1:9", "Error: TALLOW_PEER_FAULTS: unknown fault"),
        ("throttle=1", "https://tallow.example", "accepted with it: a server on this machine"),
    ],
)
@pytest.mark.parametrize("verb", ["send", "demo"])
def test_invalid_options_are_refused_in_one_line(
    tmp_path: Path, path: Path, verb: str, faults: str, address: str, expected: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tallow", verb, *([path] if verb == "send" else []), "--server", address],
        env=os.environ | {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": faults},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert expected in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


async def ended(
    server: RunningServer, path: Path, folder: Path, options: TransferOptions
) -> list[BaseException | None]:
    sender = await send(server.url, [path], options=options)
    receiver = receive(sender.link, folder, options=options)
    return [await sender.wait_for_error(), await receiver.wait_for_error()]


async def test_delayed_key_operations_do_not_block_the_event_loop(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("delay_keys=0.3")
    pairs = [transfer_files(server.url, [path], tmp_path / str(n), options=RELAYED) for n in range(3)]
    started = time.monotonic()
    await asyncio.gather(*pairs)
    assert time.monotonic() - started < 6
    for operation in ("keygen", "encapsulate", "decapsulate"):
        assert server.value("pqc_duration_seconds_sum", operation=operation) > 0.9


async def test_failing_key_operations_fail_the_transfer(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("fail_keys=1")
    assert all(await ended(server, path, tmp_path / "in", RELAYED))
    assert server.value("pqc_operations_total", operation="keygen", status="failed") == 1
    assert server.value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="failed") >= 1
    assert server.value("transfers_total", status="failed", method="relay") == 1


async def test_a_corrupted_ciphertext_fails_only_the_key_confirmation(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("break_confirmation=1")
    assert all(await ended(server, path, tmp_path / "in", RELAYED))
    assert server.value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="failed") == 2
    for operation in ("keygen", "encapsulate", "decapsulate"):
        assert server.value("pqc_operations_total", operation=operation, status="failed") == 0


async def test_a_broken_path_falls_back_to_the_relay(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("break_path=1")
    await transfer_files(server.url, [path], tmp_path / "in", options=DIRECT)
    assert server.value("direct_connections_total", transport="webrtc", status="failed") == 1
    assert server.value("webrtc_connections_total", type="direct", status="failed") == 1
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_webrtc_carries_the_data_if_tcp_is_broken(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("break_tcp=1")
    await transfer_files(server.url, [path], tmp_path / "in", options=DIRECT)
    assert server.value("direct_connections_total", transport="webrtc", status="success") == 1
    assert server.value("direct_connections_total", transport="tcp", status="failed") == 0  # one connected
    assert server.value("transfers_total", status="success", method="p2p") == 1


async def test_the_relay_carries_the_data_if_tcp_alone_is_allowed_and_broken(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("break_tcp=1")
    options = replace(DIRECT, transports=("tcp",))
    await transfer_files(server.url, [path], tmp_path / "in", options=options)
    assert server.value("direct_connections_total", transport="tcp", status="failed") == 1
    assert server.value("transfers_total", status="success", method="relay") == 1


async def test_a_delayed_path_takes_longer_to_connect(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("delay_path=1.8")  # longer than the head start of direct connections
    await transfer_files(server.url, [path], tmp_path / "in", options=DIRECT)
    assert server.value("connection_establishment_seconds_count", type="direct") == 1
    assert server.value("connection_establishment_seconds_sum", type="direct") > 1.8


@pytest.mark.parametrize("options", [RELAYED, DIRECT], ids=["relay", "direct"])
async def test_a_throttled_channel_keeps_its_rate(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path, options: TransferOptions
) -> None:
    switch("throttle=500000")
    method = "relay" if options.tallow_relay else "p2p"
    await transfer_files(server.url, [path], tmp_path / "in", options=options)
    assert 2 < server.value("transfer_speed_mbps_sum", method=method) < 4.5


async def test_both_sides_queue_before_data_flows(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("hold_start=3")
    transfer = asyncio.create_task(transfer_files(server.url, [path], tmp_path / "in", options=RELAYED))
    await server.wait_for_value("transfer_queue_depth", 1)
    assert not transfer.done()
    assert server.value("transfers_started_total") == 0
    assert list((tmp_path / "in").iterdir()) == []
    await transfer
    await server.wait_for_value("transfer_queue_depth", 0)
    assert server.value("transfers_started_total") == 1
    assert (tmp_path / "in" / path.name).read_bytes() == path.read_bytes()


async def test_a_transfer_fails_after_its_start(
    server: RunningServer, switch: Switch, path: Path, tmp_path: Path
) -> None:
    switch("fail_transfer=1")
    assert all(await ended(server, path, tmp_path / "in", RELAYED))
    assert server.value("transfers_started_total") == 1
    assert server.value("transfers_total", status="failed", method="relay") == 1


async def test_switched_off_faults_have_no_effect(server: RunningServer, path: Path, tmp_path: Path) -> None:
    install(",".join(f"{name}=1" for name in LIMITS))()
    await transfer_files(server.url, [path], tmp_path / "in", options=DIRECT)
    assert server.value("transfers_total", status="success", method="p2p") == 1

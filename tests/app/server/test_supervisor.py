"""Several workers that share a port: forwarded sockets, and a worker that is killed under load."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection

from support.transfers.server import Peer, ServerProcess, tallow_serve

pytestmark = pytest.mark.slow

WORKERS = 4


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with tallow_serve(tmp_path, "--workers", str(WORKERS), SENDER_RECONNECT_GRACE="0.5") as running:
        while (await running.metrics()).get("tallow_workers") != WORKERS:
            await asyncio.sleep(0.05)
        yield running


async def relayed_pair(server: ServerProcess) -> tuple[list[Peer], list[ClientConnection]]:
    """A pair on the relay. The kernel chooses the worker that accepts each socket."""
    sender, receiver = peers = await server.pair()
    await sender.send(type="started", method="relay")
    return list(peers), await server.relayed(sender, receiver)


async def test_a_room_works_whichever_worker_accepts_its_sockets(server: ServerProcess) -> None:
    for _ in range(12):
        peers, ends = await relayed_pair(server)
        await peers[0].send(type="offer", data={"sdp": "x"})
        assert await peers[1].receive() == {"type": "offer", "data": {"sdp": "x"}}
        await ends[0].send(b"one way")
        await ends[1].send(b"and back")
        assert [await ends[1].recv(), await ends[0].recv()] == [b"one way", b"and back"]
        answer = await server.report(peers[0].joined["telemetry_token"], {})
        assert answer.status_code == 200, answer.text
        again = await server.report(answer.json()["next"], {})
        assert again.status_code == 200
        for connection in (*ends, *(peer.socket for peer in peers)):
            await connection.close()
    await server.wait_for_values("tallow_active_transfers", 0, 'tallow_active_connections{type="websocket"}')
    # An outcome is recorded when the sender's time to rejoin or to report has passed.
    figures = await server.wait_for_values('tallow_transfers_total{status="failed",method="relay"}', 12)
    assert figures["tallow_transfers_started_total"] == 12
    assert figures['tallow_client_reports_total{outcome="accepted"}'] == 24
    assert figures['tallow_signaling_messages_total{type="join",direction="in"}'] == 24
    assert figures['tallow_active_connections{type="relay"}'] == 0


def remote_ports(pid: int) -> list[int]:
    """The ports of the clients that a process is connected to."""
    return [each.raddr.port for each in psutil.Process(pid).net_connections("tcp") if each.raddr]


async def test_the_worker_that_owns_a_room_holds_its_sockets(server: ServerProcess) -> None:
    clients: list[ClientConnection] = []
    for _ in range(6):
        peers, ends = await relayed_pair(server)
        clients += [*ends, *(peer.socket for peer in peers)]
    ports = sorted(client.local_address[1] for client in clients)
    held = [port for pid in server.children() for port in remote_ports(pid)]
    assert sorted(port for port in held if port in ports) == ports  # once each: nothing is carried twice

    relay, signal = (f'tallow_websocket_connections{{route="/api/{name}"}}' for name in ("relay", "signal"))
    await server.wait_for_values(relay, 12, signal)
    for client in clients:
        await client.close()
    figures = await server.wait_for_values(relay, 0, signal)
    assert figures['tallow_websocket_duration_seconds_count{route="/api/relay"}'] == 12
    assert figures['tallow_websocket_duration_seconds_count{route="/api/signal"}'] == 12


async def test_invalid_tickets_and_tokens_with_a_worker_prefix_are_refused(server: ServerProcess) -> None:
    for name in ("w0", "w1", "w2", "w3", "w4", "w99999999", "w-1", "", "x"):
        assert (await server.report(f"{name}.nonsense", {})).status_code == 401
        connection = await server.connect("/api/relay")
        await connection.send(json.dumps({"type": "relay", "ticket": f"{name}.nonsense"}))
        assert json.loads(await connection.recv())["code"] == "unknown_room"
        await connection.close()


COUNTER = re.compile(r"tallow_\w+_(total|count|sum|bucket)(\{|$)")


def decreased_counters(earlier: dict[str, float], later: dict[str, float]) -> list[str]:
    """Counters whose value is lower, or missing, in the later of two scrapes."""
    counters = {name: value for name, value in earlier.items() if COUNTER.match(name)}
    return [name for name, value in counters.items() if later.get(name, -1.0) < value]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX")
async def test_counters_do_not_fall_when_a_worker_is_killed(server: ServerProcess) -> None:
    """The gauges become correct again, the worker is replaced, and its files are deleted."""
    before = set(server.children())
    folder = server.metrics_dir()
    scrapes: list[dict[str, float]] = []
    stop = asyncio.Event()

    async def request_repeatedly() -> None:
        async with httpx.AsyncClient(base_url=server.url) as http:
            while not stop.is_set():
                with suppress(httpx.HTTPError):  # the connection's worker was killed
                    await http.get("/api/info")

    async def scrape_repeatedly() -> None:
        while not stop.is_set():
            with suppress(httpx.HTTPError):  # as above
                scrapes.append(await server.metrics())

    tasks = [asyncio.create_task(request_repeatedly()) for _ in range(4)] + [
        asyncio.create_task(scrape_repeatedly())
    ]
    await asyncio.sleep(0.5)
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    while killed in server.children() or len(server.children()) < WORKERS:
        await asyncio.sleep(0.05)
    while (await server.metrics())["tallow_workers"] != WORKERS:
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*tasks)

    assert len(set(server.children()) - before) == 1
    for earlier, later in itertools.pairwise(scrapes):
        assert not decreased_counters(earlier, later)
    assert min(figures["tallow_process_start_time_seconds"] for figures in scrapes) > psutil.boot_time() - 60
    rows = {path.stem.split(".")[0] for path in folder.glob("*.row")}
    assert len(rows) == len(list(folder.glob("*.index"))) == WORKERS


async def test_workers_exit_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "tallow.log"
    async with tallow_serve(tmp_path, "--workers", "2", LOG_FILE=str(log)) as running:
        while not log.exists() or log.read_text().count("Server started") < 2:  # the port is open before
            await asyncio.sleep(0.05)
        folder = running.metrics_dir()
        children = [psutil.Process(pid) for pid in running.children()]
        os.kill(running.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=120)
        assert not alive
        assert not folder.exists()
    ends = [json.loads(line) for line in log.read_text().splitlines() if "its supervisor has ended" in line]
    assert [record["level"] for record in ends] == ["fatal"] * 2

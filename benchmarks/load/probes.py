"""Latency of ``/api/health`` and ``/metrics`` while peers exchange signaling messages."""

from __future__ import annotations

import multiprocessing
import select
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.synchronize import Event

import httpx

from benchmarks.load.measurement import Measurement, percentile
from benchmarks.load.server import LoadedServer
from benchmarks.load.websocket import TEXT, masked_frame, signaling_pair

PER_SOCKET = 45
"""Messages a second of one peer: the server allows 50."""
TICK_S = 1 / PER_SOCKET
MESSAGE = masked_frame(b'{"type": "candidate", "data": {"candidate": "%s"}}' % (b"x" * 120), TEXT)


def _exchange(sockets: Sequence[socket.socket], stop: Event) -> None:
    """Send messages on all sockets at a steady rate, and read what arrives."""
    poll = select.epoll()
    by_number = {each.fileno(): each for each in sockets}
    for each in sockets:
        each.setblocking(False)
        poll.register(each.fileno(), select.EPOLLIN)
    due = time.perf_counter()
    while not stop.is_set():
        for each in sockets:
            with suppress(BlockingIOError):  # the server does not keep up
                each.send(MESSAGE)
        due += TICK_S
        while (left := due - time.perf_counter()) > 0:
            for number, _ in poll.poll(left):
                by_number[number].recv(1 << 18)
        due = max(due, time.perf_counter() - TICK_S)
        for number, _ in poll.poll(0):
            by_number[number].recv(1 << 18)


def _handled(port: int) -> float:
    """Messages that the server has received, as it counts them."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=60).text
    name = 'tallow_signaling_messages_total{type="candidate",direction="in"}'
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def _latencies(port: int, path: str, count: int, pause: float) -> list[float]:
    """Seconds of requests, each on a connection of its own as a probe's."""
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(request)
            head = connection.recv(65536)
            while connection.recv(65536):
                pass
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")):
            raise RuntimeError(head[:100].decode("latin-1"))
        seconds.append(time.perf_counter() - started)
        time.sleep(pause)
    return seconds


def measured(server: LoadedServer, pairs: int, count: int = 40) -> Measurement:
    """Probe and scrape a server on which pairs of peers send 45 messages a second each."""
    peers = [peer for _ in range(pairs) for peer, _ in signaling_pair(server.port)]
    fork = multiprocessing.get_context("fork")
    stop = fork.Event()
    load = fork.Process(target=_exchange, args=([peer.socket for peer in peers], stop))
    if pairs:
        load.start()
        time.sleep(1)
    try:
        before, cpu, started = _handled(server.port), server.cpu_seconds(), time.perf_counter()
        health = _latencies(server.port, "/api/health", count, 0.05)
        scrapes = _latencies(server.port, "/metrics", count // 2, 0.1)
        elapsed, used = time.perf_counter() - started, server.cpu_seconds() - cpu
        messages = _handled(server.port) - before
    finally:
        stop.set()
        if pairs:
            load.join()
        for peer in peers:
            peer.close()
    return {
        "messages_per_second": messages / elapsed,
        "cpu_us_per_message": used / messages * 1e6 if messages else 0.0,
        "cpu_cores": used / elapsed,
        "health_p50_ms": percentile(health, 50) * 1000,
        "health_p99_ms": percentile(health, 99) * 1000,
        "metrics_p50_ms": percentile(scrapes, 50) * 1000,
        "metrics_p99_ms": percentile(scrapes, 99) * 1000,
    }

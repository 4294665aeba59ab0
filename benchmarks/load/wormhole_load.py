"""The same work on magic-wormhole's servers: idle sockets of the mailbox, bytes through the transit relay."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.load.measurement import Measurement
from benchmarks.load.relay import Channel, transferred
from benchmarks.load.websocket import RawWebSocket
from benchmarks.wormhole import wormhole

SOCKETS = (100, 400)


def _channel(port: int) -> Channel:
    token = os.urandom(32).hex()
    ends = []
    for _ in range(2):
        end = socket.create_connection(("127.0.0.1", port), timeout=60)
        end.sendall(f"please relay {token} for side {os.urandom(8).hex()}\n".encode())
        ends.append(end)
    for end in ends:
        if end.recv(3, socket.MSG_WAITALL) != b"ok\n":
            raise ConnectionError("the transit relay refused")
    return ends[0], ends[1]


def relayed(pairs: int, size: int, total: int) -> Measurement:
    """Bytes through the transit relay, which copies a plain stream: it has no messages and no masks."""
    with tempfile.TemporaryDirectory() as folder, wormhole(Path(folder)) as servers:
        relay = psutil.Process(servers.relay)
        channels = [_channel(servers.transit) for _ in range(pairs)]

        def cpu() -> float:
            times = relay.cpu_times()
            return times.user + times.system

        count = max(1, total // size // pairs)
        figures = transferred(channels, bytes(size), size, count, cpu)
        for channel in channels:
            for end in channel:
                end.close()
    return {"pairs": pairs, "message_bytes": size} | figures


def idle_sockets() -> list[Measurement]:
    """Sockets that are bound to an application and wait, as a sender does."""
    with tempfile.TemporaryDirectory() as folder, wormhole(Path(folder)) as servers:
        mailbox = psutil.Process(servers.meeting)
        opened: list[RawWebSocket] = []
        memory = []
        for count in SOCKETS:
            while len(opened) < count:
                client = RawWebSocket(servers.mailbox, "/v1")
                client.send({"type": "bind", "appid": "load", "side": os.urandom(5).hex()})
                opened.append(client)
            time.sleep(1)
            memory.append(mailbox.memory_full_info().uss)
        for client in opened:
            client.close()
    grown = (memory[1] - memory[0]) / (SOCKETS[1] - SOCKETS[0])
    return [{"sockets": SOCKETS[1], "kilobytes_per_socket": grown / 1000}]

"""Signaling connections: how many are opened a second, and the memory of each while it is idle."""

from __future__ import annotations

import time
from itertools import pairwise

from benchmarks.load.measurement import Measurement
from benchmarks.load.server import LoadedServer
from benchmarks.load.websocket import RawWebSocket, create_room, join

STEPS = (100, 400)


def measured(server: LoadedServer) -> list[Measurement]:
    """Open connections in steps, each joined to a room of its own as a sender that waits.

    Memory is the growth of all processes from one step to the next: the first step, in which caches fill and
    code is loaded, is not counted.
    """
    rooms = [create_room(server.port) for _ in range(STEPS[-1])]
    opened: list[RawWebSocket] = []
    figures: list[tuple[int, int, float, float]] = [(0, server.memory_bytes(), 0.0, 0.0)]
    try:
        for step in STEPS:
            count, cpu, started = step - len(opened), server.cpu_seconds(), time.perf_counter()
            for room, token in rooms[len(opened) : step]:
                opened.append(join(server.port, room, token, "sender")[0])
            elapsed, used = time.perf_counter() - started, server.cpu_seconds() - cpu
            time.sleep(0.5)  # objects of the handshakes are freed
            figures.append((step, server.memory_bytes(), count / elapsed, used / count))
    finally:
        for connection in opened:
            connection.close()
    return [
        {
            "sockets": count,
            "opened_per_second": rate,
            "cpu_us_per_join": cpu * 1e6,
            "kilobytes_per_socket": (memory - before) / (count - fewer) / 1000,
        }
        for (fewer, before, _, _), (count, memory, rate, cpu) in list(pairwise(figures))[1:]
    ]

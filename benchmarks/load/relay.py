"""Throughput of the relay, and the CPU time of the server for each gigabyte.

The senders and receivers are other processes with blocking sockets, one system call a message.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Sequence

from benchmarks.load.measurement import Measurement
from benchmarks.load.server import LoadedServer
from benchmarks.load.websocket import masked_frame, relay_pair

KIB = 1024
Channel = tuple[socket.socket, socket.socket]
"""The sockets of a sender and of a receiver that are connected through a relay."""


def _send(sockets: Sequence[socket.socket], message: bytes, count: int) -> None:
    for connection in sockets:
        connection.settimeout(60)
    for _ in range(count):
        for connection in sockets:
            connection.sendall(message)


def _receive(connection: socket.socket, size: int) -> None:
    buffer = bytearray(1 << 20)
    connection.settimeout(60)
    while size > 0:
        got = connection.recv_into(buffer)
        if not got:
            raise ConnectionError("closed before the end")
        size -= got


def _receive_all(sockets: Sequence[socket.socket], size: int) -> None:
    import threading

    threads = [threading.Thread(target=_receive, args=(each, size)) for each in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def transferred(
    channels: Sequence[Channel], message: bytes, received: int, count: int, cpu: Callable[[], float]
) -> Measurement:
    """Send messages through all channels at once.

    Args:
        message: as it is sent, with its frame.
        received: bytes of the message as it arrives.
        count: messages on each channel.
        cpu: reads the CPU seconds of the relay.
    """
    fork = multiprocessing.get_context("fork")
    before, started = cpu(), time.perf_counter()
    ends = [
        fork.Process(target=_receive_all, args=([each[1] for each in channels], received * count)),
        fork.Process(target=_send, args=([each[0] for each in channels], message, count)),
    ]
    for end in ends:
        end.start()
    for end in ends:
        end.join()
    if any(end.exitcode for end in ends):
        raise RuntimeError("a transfer failed")
    elapsed, used = time.perf_counter() - started, cpu() - before
    gigabytes = len(channels) * count * len(message) / 1e9
    return {"megabytes_per_second": gigabytes * 1000 / elapsed, "cpu_seconds_per_gb": used / gigabytes}


def measured(server: LoadedServer, pairs: int, size: int, total: int) -> Measurement:
    """Relay messages between pairs of peers.

    Args:
        size: bytes of a message.
        total: bytes that all pairs send together.
    """
    other = server.others[0] if server.others else None
    opened = [relay_pair(server.port, other) for _ in range(pairs)]
    channels = [(relays[0].socket, relays[1].socket) for relays, _ in opened]
    message = masked_frame(bytes(size))
    try:
        figures = transferred(
            channels, message, len(message) - 4, max(1, total // size // pairs), server.cpu_seconds
        )
    finally:
        for relays, signaling in opened:
            for each in (*relays, *signaling):
                each.close()
    return {"pairs": pairs, "message_bytes": size} | figures

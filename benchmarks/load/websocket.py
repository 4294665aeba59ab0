"""A WebSocket client that costs next to nothing: blocking sockets, frames that are built once.

The mask of its frames is zero, so that the payload is sent as it is. The server cannot know and unmasks it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import socket
from base64 import b64encode, urlsafe_b64encode
from http.client import HTTPConnection
from typing import Any

TEXT, BINARY = 1, 2


def masked_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A frame of a client, with a mask of zeros."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8)
    return head + bytes(4) + payload


class RawWebSocket:
    """A connected WebSocket."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n".encode()
        )
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head.decode())

    def send(self, message: dict[str, Any]) -> None:
        """Send a message as JSON text."""
        self.socket.sendall(masked_frame(json.dumps(message).encode(), TEXT))

    def receive(self) -> Any:
        """The next message, JSON text of at most 64 KiB."""
        while True:
            if len(self._buffer) >= 4:
                size, start = self._buffer[1] & 127, 2
                if size == 126:
                    size, start = int.from_bytes(self._buffer[2:4]), 4
                if len(self._buffer) >= start + size:
                    payload = self._buffer[start : start + size]
                    self._buffer = self._buffer[start + size :]
                    return json.loads(payload)
            self._read()

    def _read(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self._buffer += data

    def close(self) -> None:
        """Close the connection without a closing handshake."""
        self.socket.close()


@functools.cache
def protocol_version(port: int) -> int:
    """The version of the protocol that a server speaks: an older one is measured beside the current one."""
    import httpx

    return int(httpx.get(f"http://127.0.0.1:{port}/api/info", trust_env=False, timeout=60).json()["protocol"])


def create_room(port: int) -> tuple[str, bytes]:
    """A new room, and its join token."""
    token = os.urandom(32)
    body = json.dumps({"token_hash": hashlib.sha256(token).hexdigest()})
    client = HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("POST", "/api/rooms", body, {"content-type": "application/json"})
    answer = json.loads(client.getresponse().read())
    client.close()
    return str(answer["room"]), token


def join(port: int, room: str, token: bytes, role: str) -> tuple[RawWebSocket, dict[str, Any]]:
    """A signaling socket that has joined a room, and the answer."""
    peer = RawWebSocket(port, "/api/signal")
    shown = urlsafe_b64encode(token).decode().rstrip("=")
    message = {
        "type": "join",
        "version": protocol_version(port),
        "room": room,
        "token": shown,
        "role": role,
        "device": "cli",
    }
    peer.send(message)
    answer = peer.receive()
    if answer["type"] != "joined":
        raise ConnectionError(str(answer))
    return peer, answer


def signaling_pair(port: int, other_port: int | None = None) -> list[tuple[RawWebSocket, dict[str, Any]]]:
    """Both peers of a new room; the receiver joins at ``other_port`` if given."""
    room, token = create_room(port)
    pair = [join(port, room, token, "sender"), join(other_port or port, room, token, "receiver")]
    pair[0][0].receive()  # the receiver has joined
    return pair


def relay_pair(port: int, other_port: int | None = None) -> tuple[list[RawWebSocket], list[RawWebSocket]]:
    """The relay sockets of a new pair, and its signaling sockets."""
    pair = signaling_pair(port, other_port)
    relays = [RawWebSocket(port, "/api/relay"), RawWebSocket(other_port or port, "/api/relay")]
    for relay, (_, joined) in zip(relays, pair, strict=True):
        relay.send({"type": "relay", "ticket": joined["relay_ticket"]})
    for relay in relays:
        if relay.receive()["type"] != "paired":
            raise ConnectionError("not paired")
    return relays, [peer for peer, _ in pair]

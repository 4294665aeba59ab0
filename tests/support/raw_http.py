"""HTTP and WebSocket bytes that no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def request(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as bytes; text becomes latin-1 where it can, else UTF-8 with lone surrogates."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return b"".join(_encode(line) + b"\r\n" for line in lines) + b"\r\n" + body


def _encode(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def websocket_frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True) -> bytes:
    """A WebSocket frame (RFC 6455, section 5.2), masked with zeros."""
    first = bytes([final << 7 | opcode])
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        length = bytes([mask | len(payload)])
    elif len(payload) < 2**16:
        length = bytes([mask | 126]) + len(payload).to_bytes(2)
    else:
        length = bytes([mask | 127]) + len(payload).to_bytes(8)
    return first + length + (bytes(4) if masked else b"") + payload


async def open_connection(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TCP connection to the server of a URL."""
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def send(url: str, *pieces: bytes) -> bytes:
    """Send bytes on a connection of their own; what the server answers until it closes or 64 KiB."""
    reader, writer = await open_connection(url)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read(2**16)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    """The status of an HTTP response; 0 if there is none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.1 ") and len(words) == 3 else 0

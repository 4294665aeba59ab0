"""The least that an encrypted transfer over asyncio's streams can cost: random bytes from memory to memory.

``python -m benchmarks.plain_tcp SIZE`` prints the seconds for so many bytes between two processes, in frames
of 256 KiB, sealed with AES-256-GCM. There is no file, hash, room or key exchange.
"""

from __future__ import annotations

import asyncio
import math
import os
import struct
import subprocess
import sys
import time
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME: Final = 256 * 1024
_LENGTH: Final = struct.Struct(">I")
_CIPHER: Final = AESGCM(bytes(32))


def seconds_from_memory_to_memory(size: int) -> float:
    """Run both processes and return the seconds for ``size`` bytes."""
    printed = subprocess.check_output([sys.executable, "-m", "benchmarks.plain_tcp", str(size)])
    return float(printed)


async def _receive(frames: int) -> float:
    """Listen, start the sending process, and return the seconds from the first frame to the last."""
    took = asyncio.get_running_loop().create_future()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        started = time.perf_counter()
        for number in range(frames):
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            _CIPHER.decrypt(number.to_bytes(12), await reader.readexactly(length), b"")
        took.set_result(time.perf_counter() - started)
        writer.close()

    server = await asyncio.start_server(read, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.plain_tcp", "--to", str(port), str(frames)]
    sender = await asyncio.create_subprocess_exec(*command)
    seconds: float = await took
    await sender.wait()
    server.close()
    return seconds


async def _send(port: int, frames: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    data = os.urandom(FRAME)
    for number in range(frames):
        sealed = _CIPHER.encrypt(number.to_bytes(12), data, b"")
        writer.write(_LENGTH.pack(len(sealed)))
        writer.write(sealed)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


def main(arguments: list[str]) -> None:
    if arguments[0] == "--to":
        asyncio.run(_send(int(arguments[1]), int(arguments[2])))
    else:
        print(asyncio.run(_receive(math.ceil(int(arguments[0]) / FRAME))))


if __name__ == "__main__":
    main(sys.argv[1:])

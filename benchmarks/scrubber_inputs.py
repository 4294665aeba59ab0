"""What the scrubbers are measured on. Every value is made anew for each round."""

from __future__ import annotations

import functools
import random
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUTES = ("rooms", "transfers", "peers", "shares", "health", "sessions")


def word(size: int) -> str:
    """Letters."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=size))


def address() -> str:
    """An address of version 4."""
    return ".".join(str(random.randrange(11, 250)) for _ in range(4))


def known() -> list[dict[str, Any]]:
    """Records of a log whose templates are known: only numbers and identifiers are new."""
    made = []
    for _ in range(400):
        number = random.getrandbits(128)
        made.append(
            {
                "message": random.choice(
                    ("Transfer finished", f"Chunk {number % 512} acknowledged after 3 tries")
                ),
                "transfer_id": f"{number:032x}",
                "route": f"/api/v1/{random.choice(ROUTES)}/{number % 9999}/status",
                "file_size": number % 10**9,
                "duration_ms": random.random() * 1000,
                "method": random.choice(("relay", "webrtc")),
            }
        )
    return made


def unseen() -> list[dict[str, Any]]:
    """The same records in words that were never seen before."""
    made = known()
    for record in made:
        record["message"] = " ".join(map(word, (8, 6, 9, 5)))
        record["route"] = f"/api/v1/{word(7)}/{word(5)}"
        record["method"] = word(6)
    return made


def unseen_names() -> list[dict[str, Any]]:
    """The same, with two keys whose names were never seen before either."""
    made = unseen()
    for record in made:
        record[word(9)] = random.randrange(1000)
        record[f"{word(5)}_{word(4)}"] = word(8)
    return made


def nested() -> list[dict[str, Any]]:
    """Nested records of about 150 bytes in JSON, with private values among harmless ones."""
    return [random.choice(_NESTED)() for _ in range(400)]


def _request() -> dict[str, Any]:
    return {
        "request": {
            "url": f"/api/{word(6)}?token={word(12)}",
            "headers": {"authorization": f"Bearer {word(10)}7", "accept": "*/*"},
            "client": address(),
        },
        "status": random.choice((200, 401, 500)),
    }


def _account() -> dict[str, Any]:
    return {
        "event": "signed in",
        "user": {"name": word(7), "email": f"{word(5)}@{word(7)}.example", "id": random.randrange(10**6)},
        "tags": [word(5), word(4)],
        "password": word(9),
    }


def _transfer() -> dict[str, Any]:
    return {
        "transfer": {
            "id": str(uuid.uuid4()),
            "files": [{"file_name": f"{word(6)}.pdf", "size": random.randrange(10**9)}],
        },
        "peer": {"ip": address(), "port": 443},
        "note": f"{word(6)} called {word(5)}",
    }


def _failure() -> dict[str, Any]:
    return {
        "error": {
            "type": "ConnectError",
            "message": f"cannot reach postgres://{word(4)}:{word(8)}@db.example/x",
        },
        "context": {"attempt": random.randrange(9), "host": f"{word(6)}.internal"},
    }


_NESTED = (_request, _account, _transfer, _failure)


def server_logs() -> list[str]:
    """Lines as real servers write them, in new words and numbers, in the order of chance.

    nginx, PostgreSQL, sshd, Kubernetes, tracebacks of Python and Java, Redis, MySQL, the kernel, zap,
    uvicorn, gunicorn, systemd, Postfix, HAProxy, Prometheus.
    """
    lines = [_PLACE.sub(_made, line) for line in _LINES for _ in range(17)]
    random.shuffle(lines)
    return lines


def server_logs_again() -> list[str]:
    """The same lines every time, each digit of them new: a server logs the same templates again."""
    return [re.sub("[0-9]", lambda _: str(random.randrange(1, 10)), line) for line in _repeated()]


@functools.cache
def _repeated() -> list[str]:
    return server_logs()


def _made(place: re.Match[str]) -> str:
    return _MAKERS[place[1]](int(place[2] or 0))


def _clock(_size: int) -> str:
    return f"{random.randrange(24):02}:{random.randrange(60):02}:{random.randrange(60):02}"


_MAKERS: dict[str, Callable[[int], str]] = {
    "word": word,
    "number": lambda size: str(random.randrange(10 ** (size - 1), 10**size)),
    "address": lambda _size: address(),
    "clock": _clock,
    "uuid": lambda _size: str(uuid.uuid4()),
    "hex": lambda _size: f"{random.getrandbits(128):032x}",
}
_PLACE = re.compile(r"«(\w+)(?:,(\d+))?»")
_LINES = [
    line.replace("⏎", "\n")
    for line in Path(__file__).with_name("server_logs.txt").read_text(encoding="utf-8").splitlines()
]


def pairs() -> str:
    """256 KiB of the shortest assignments."""
    return "k=v " * 65_536

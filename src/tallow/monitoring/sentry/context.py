"""Facts about the work at hand, sent with every event of its scope: classes of things, no identities."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from tallow.monitoring import correlation
from tallow.monitoring.metrics import labels
from tallow.monitoring.sentry import sdk


def set_transfer_context(
    transfer_id: str | None = None,
    *,
    size_bytes: float | None = None,
    mime_type: str | None = None,
    method: str | None = None,
    direction: str | None = None,
) -> None:
    """What is transferred: its id if it is a UUID or 32 hexadecimal digits, its size class and top-level
    type, the method (p2p or relay) and the direction (sent or received)."""
    _set_context(
        "transfer",
        id=opaque_id(transfer_id),
        size=None if size_bytes is None else labels.size_category(size_bytes),
        file_type=None if mime_type is None else labels.file_type(mime_type),
        method=method,
        direction=direction,
    )


def set_crypto_context(
    operation: str | None = None, *, algorithm: str | None = None, size_bytes: float | None = None
) -> None:
    """What is computed: the operation (encrypt, keygen, …), the algorithm and the size class of its data."""
    size = None if size_bytes is None else labels.size_category(size_bytes)
    _set_context("crypto", operation=operation, algorithm=algorithm, size=size)


def set_connection_context(
    kind: str | None = None,
    *,
    path: str | None = None,
    strategy: str | None = None,
    state: str | None = None,
) -> None:
    """How peers are connected: kind (webrtc, websocket, relay), path (direct, relay), the ICE candidate's
    strategy (host, stun, turn) and the connection's state. Never an address."""
    _set_context("connection", kind=kind, path=path, strategy=strategy, state=state)


def opaque_id(identity: object) -> str | None:
    """An id that says nothing by itself, or None for anything else, which might be a name."""
    return correlation.parse(str(identity)) if identity is not None else None


def _set_context(name: str, **facts: Any) -> None:
    if sdk.active is None:
        return
    with suppress(Exception):  # telemetry never harms its host
        sdk.active.set_context(name, {fact: value for fact, value in facts.items() if value is not None})

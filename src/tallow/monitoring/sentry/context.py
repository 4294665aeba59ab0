"""Contexts that Sentry shows with every event of the current scope: categories, no identities.

::

    >>> from tallow.monitoring.sentry import context
    >>> context.set_connection_context("webrtc", path="direct")
"""

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
    """Describe the current transfer.

    Args:
        transfer_id: sent if it is a UUID or 32 hexadecimal digits.
        size_bytes: sent as size category.
        mime_type: only the top-level type is sent.
        method: p2p or relay.
        direction: sent or received.

    Example::

        >>> set_transfer_context(size_bytes=5_000_000, mime_type="image/png", method="p2p")
    """
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
    """Describe the current cryptographic operation.

    Args:
        operation: encrypt, decrypt, keygen, …
        algorithm: such as aes_256_gcm.
        size_bytes: of the data; sent as size category.

    Example::

        >>> set_crypto_context("encrypt", algorithm="aes_256_gcm", size_bytes=65_536)
    """
    size = None if size_bytes is None else labels.size_category(size_bytes)
    _set_context("crypto", operation=operation, algorithm=algorithm, size=size)


def set_connection_context(
    kind: str | None = None,
    *,
    path: str | None = None,
    strategy: str | None = None,
    state: str | None = None,
) -> None:
    """Describe the current connection. Do not pass an address.

    Args:
        kind: webrtc, websocket or relay.
        path: direct or relay.
        strategy: of the ICE candidate: host, stun or turn.
        state: of the connection.

    Example::

        >>> set_connection_context("webrtc", path="direct", strategy="stun", state="connected")
    """
    _set_context("connection", kind=kind, path=path, strategy=strategy, state=state)


def opaque_id(identity: object) -> str | None:
    """Return a UUID or 32 hexadecimal digits unchanged, and None for anything else, which may be a name."""
    return correlation.parse(str(identity)) if identity is not None else None


def _set_context(name: str, **fields: Any) -> None:
    if sdk.active is None:
        return
    with suppress(Exception):  # telemetry never harms its host
        sdk.active.set_context(name, {field: value for field, value in fields.items() if value is not None})

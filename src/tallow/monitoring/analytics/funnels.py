"""Funnels: the steps of something people do, one event each, so that one sees where they stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallow.monitoring.analytics import categories
from tallow.monitoring.catalog.labels import ERROR_TYPE
from tallow.monitoring.metrics import labels

Send = Callable[[str, Mapping[str, Any]], None]

_REASONS: Final = frozenset(ERROR_TYPE.values)


class TransferFunnel:
    """Start, select a file, connect to the peer, complete or fail."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def start_transfer(self) -> None:
        """Somebody began."""
        self._send("Transfer: start", {})

    def select_file(self, size_bytes: float | None = None, mime_type: str | None = None) -> None:
        """A file was chosen: its size class and top-level type are told."""
        self._send("Transfer: file", {"size": _size(size_bytes), "file_type": _type(mime_type)})

    def connect_peer(self, method: str | None = None) -> None:
        """Both sides are there, by method p2p or relay."""
        self._send("Transfer: peer", {"method": method})

    def complete_transfer(
        self,
        size_bytes: float | None = None,
        duration_s: float | None = None,
        method: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        """It succeeded: the classes of its size, duration and type are told."""
        facts = {"size": _size(size_bytes), "duration": _seconds(duration_s)}
        self._send("Transfer: complete", {**facts, "method": method, "file_type": _type(mime_type)})

    def fail_transfer(self, reason: str | None = None, method: str | None = None) -> None:
        """It did not, by a reason of the errors' vocabulary (network, crypto, …)."""
        self._send("Transfer: fail", {"reason": _reason(reason), "method": method})


class ConnectionFunnel:
    """Start, exchange signals, gather candidates, connect or fail."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def start_connection(self) -> None:
        """A peer began to connect."""
        self._send("Connection: start", {})

    def exchange_signals(self) -> None:
        """Offer and answer have been exchanged."""
        self._send("Connection: signals", {})

    def gather_candidates(self, strategy: str | None = None) -> None:
        """ICE found candidates of a strategy: host, stun or turn."""
        self._send("Connection: candidates", {"strategy": strategy})

    def connected(self, path: str | None = None, duration_s: float | None = None) -> None:
        """The connection stands, on path direct or relay; the class of the time it took is told."""
        self._send("Connection: connected", {"path": path, "duration": _seconds(duration_s)})

    def fail_connection(self, reason: str | None = None) -> None:
        """It does not, by a reason of the errors' vocabulary."""
        self._send("Connection: fail", {"reason": _reason(reason)})


def _size(size_bytes: float | None) -> str | None:
    return None if size_bytes is None else labels.size_category(size_bytes)


def _type(mime_type: str | None) -> str | None:
    return None if mime_type is None else labels.file_type(mime_type)


def _seconds(duration_s: float | None) -> str | None:
    return None if duration_s is None else categories.seconds(duration_s)


def _reason(reason: str | None) -> str | None:
    return reason if reason is None or reason in _REASONS else "other"

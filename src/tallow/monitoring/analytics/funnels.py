"""Funnels: the steps of something people do, one event each, so that one sees where they stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallow.monitoring.analytics import categories
from tallow.monitoring.catalog.labels import ERROR_TYPE
from tallow.monitoring.metrics import labels

SendEvent = Callable[[str, Mapping[str, Any]], None]

_REASONS: Final = frozenset(ERROR_TYPE.values)


class TransferFunnel:
    """Start, select a file, connect to the peer, complete or fail."""

    def __init__(self, send: SendEvent) -> None:
        self._send_event = send

    def start_transfer(self) -> None:
        """Somebody began."""
        self._send_event("Transfer: start", {})

    def select_file(self, size_bytes: float | None = None, mime_type: str | None = None) -> None:
        """A file was chosen: its size class and top-level type are told."""
        self._send_event(
            "Transfer: file", {"size": _size_category(size_bytes), "file_type": _file_type(mime_type)}
        )

    def connect_peer(self, method: str | None = None) -> None:
        """Both sides are there, by method p2p or relay."""
        self._send_event("Transfer: peer", {"method": method})

    def complete_transfer(
        self,
        size_bytes: float | None = None,
        duration_s: float | None = None,
        method: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        """It succeeded: the classes of its size, duration and type are told."""
        facts = {"size": _size_category(size_bytes), "duration": _duration_category(duration_s)}
        self._send_event(
            "Transfer: complete", {**facts, "method": method, "file_type": _file_type(mime_type)}
        )

    def fail_transfer(self, reason: str | None = None, method: str | None = None) -> None:
        """It did not, by a reason of the errors' vocabulary (network, crypto, …)."""
        self._send_event("Transfer: fail", {"reason": _known_reason(reason), "method": method})


class ConnectionFunnel:
    """Start, exchange signals, gather candidates, connect or fail."""

    def __init__(self, send: SendEvent) -> None:
        self._send_event = send

    def start_connection(self) -> None:
        """A peer began to connect."""
        self._send_event("Connection: start", {})

    def exchange_signals(self) -> None:
        """Offer and answer have been exchanged."""
        self._send_event("Connection: signals", {})

    def gather_candidates(self, strategy: str | None = None) -> None:
        """ICE found candidates of a strategy: host, stun or turn."""
        self._send_event("Connection: candidates", {"strategy": strategy})

    def connected(self, path: str | None = None, duration_s: float | None = None) -> None:
        """The connection stands, on path direct or relay; the class of the time it took is told."""
        self._send_event("Connection: connected", {"path": path, "duration": _duration_category(duration_s)})

    def fail_connection(self, reason: str | None = None) -> None:
        """It does not, by a reason of the errors' vocabulary."""
        self._send_event("Connection: fail", {"reason": _known_reason(reason)})


def _size_category(size_bytes: float | None) -> str | None:
    return None if size_bytes is None else labels.size_category(size_bytes)


def _file_type(mime_type: str | None) -> str | None:
    return None if mime_type is None else labels.file_type(mime_type)


def _duration_category(duration_s: float | None) -> str | None:
    return None if duration_s is None else categories.duration_category(duration_s)


def _known_reason(reason: str | None) -> str | None:
    return reason if reason is None or reason in _REASONS else "other"

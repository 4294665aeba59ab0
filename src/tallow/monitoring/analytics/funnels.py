"""Funnels: one event for each step of a task, which shows at which step people stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallow.monitoring.analytics import categories
from tallow.monitoring.catalog.label_values import ERROR_TYPES
from tallow.monitoring.metrics import labels

SendEvent = Callable[[str, Mapping[str, Any]], None]

_REASONS: Final = frozenset(ERROR_TYPES)


class TransferFunnel:
    """The steps of a file transfer: start, select a file, connect to the peer, complete or fail.

    Args:
        send: sends an event, given its name and properties.
    """

    def __init__(self, send: SendEvent) -> None:
        self._send_event = send

    def start_transfer(self) -> None:
        """Count a transfer that was started."""
        self._send_event("Transfer: start", {})

    def select_file(self, size_bytes: float | None = None, mime_type: str | None = None) -> None:
        """Count a file that was selected, with its size category and top-level type."""
        self._send_event(
            "Transfer: file", {"size": _size_category(size_bytes), "file_type": _file_type(mime_type)}
        )

    def connect_peer(self, method: str | None = None) -> None:
        """Count two connected peers, by method p2p or relay."""
        self._send_event("Transfer: peer", {"method": method})

    def complete_transfer(
        self,
        size_bytes: float | None = None,
        duration_s: float | None = None,
        method: str | None = None,
        mime_type: str | None = None,
    ) -> None:
        """Count a successful transfer, with the categories of its size, duration and type."""
        facts = {"size": _size_category(size_bytes), "duration": _duration_category(duration_s)}
        self._send_event(
            "Transfer: complete", {**facts, "method": method, "file_type": _file_type(mime_type)}
        )

    def fail_transfer(self, reason: str | None = None, method: str | None = None) -> None:
        """Count a failed transfer, by a value of the label ``error_type`` (network, crypto, …)."""
        self._send_event("Transfer: fail", {"reason": _known_reason(reason), "method": method})


class ConnectionFunnel:
    """The steps of a connection: start, exchange signals, gather candidates, connect or fail.

    Args:
        send: sends an event, given its name and properties.
    """

    def __init__(self, send: SendEvent) -> None:
        self._send_event = send

    def start_connection(self) -> None:
        """Count a connection that was started."""
        self._send_event("Connection: start", {})

    def exchange_signals(self) -> None:
        """Count an exchange of offer and answer."""
        self._send_event("Connection: signals", {})

    def gather_candidates(self, strategy: str | None = None) -> None:
        """Count ICE candidates that were found, by strategy host, stun or turn."""
        self._send_event("Connection: candidates", {"strategy": strategy})

    def connected(self, path: str | None = None, duration_s: float | None = None) -> None:
        """Count a connection, by path direct or relay, with the category of the seconds it took."""
        self._send_event("Connection: connected", {"path": path, "duration": _duration_category(duration_s)})

    def fail_connection(self, reason: str | None = None) -> None:
        """Count a failed connection, by a value of the label ``error_type``."""
        self._send_event("Connection: fail", {"reason": _known_reason(reason)})


def _size_category(size_bytes: float | None) -> str | None:
    return None if size_bytes is None else labels.size_category(size_bytes)


def _file_type(mime_type: str | None) -> str | None:
    return None if mime_type is None else labels.file_type(mime_type)


def _duration_category(duration_s: float | None) -> str | None:
    return None if duration_s is None else categories.duration_category(duration_s)


def _known_reason(reason: str | None) -> str | None:
    return reason if reason is None or reason in _REASONS else "other"

"""The metrics of a transfer's first connection, which only the sender records, and of mapped ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tallow.app.channels.channel import Channel
from tallow.app.channels.ice_servers import IceServers, has_turn
from tallow.app.peer.connection.signaling_messages import ChannelType
from tallow.monitoring.errors import report_error
from tallow.monitoring.logging import connection_logger
from tallow.monitoring.metrics import Metrics


class ConnectionOutcomeRecorder:
    """Records the first attempt of a transfer to connect; later ones resume it and are not counted.

    Args:
        direct_policy: whether direct connections are allowed, and not only those through a TURN server.
    """

    def __init__(self, metrics: Metrics, *, direct_policy: bool) -> None:
        self._metrics = metrics
        self._direct = direct_policy
        self._recorded = False

    def record(
        self,
        found: tuple[ChannelType, Channel] | None,
        tried: Sequence[ChannelType],
        servers: IceServers,
    ) -> None:
        """Record how an attempt ended.

        Args:
            found: the chosen channel; None if there is none.
            tried: types of direct channels that were tried and that the other side did not refuse.
            servers: STUN and TURN servers that could be used.
        """
        if self._recorded:
            return
        self._recorded = True
        if found is not None and found[0] != "relay":
            self._record_success(*found)
        elif tried:
            self._record_failure(tried, servers)
            if found is not None:
                self._metrics.record_recovery("network")

    def _record_success(self, channel_type: ChannelType, channel: Any) -> None:
        if self._direct:
            seconds = channel.established_s if channel_type == "tcp" else None
            self._metrics.record_direct_connection(channel_type, "success", seconds)
        if channel_type == "webrtc":
            self._metrics.record_webrtc_connection(channel.path, "success", channel.established_s)
            self._metrics.record_nat_traversal(channel.strategy, "success")
            if channel.path == "relay":
                self._metrics.record_turn_relay_usage(forced=not self._direct)

    def _record_failure(self, tried: Sequence[ChannelType], servers: IceServers) -> None:
        if self._direct:
            self._metrics.record_direct_connection(tried[-1], "failed")
        if "webrtc" in tried:
            self._record_failed_webrtc(servers)
        report_error(
            "network",
            "low",
            "No direct connection",
            log=connection_logger,
            metrics=self._metrics,
            tried=", ".join(tried),
        )

    def _record_failed_webrtc(self, servers: IceServers) -> None:
        """Record a failure for every kind of candidate that could be tried."""
        self._metrics.record_webrtc_connection("direct" if self._direct else "relay", "failed")
        if self._direct:
            self._metrics.record_nat_traversal("host", "failed")
        if self._direct and servers:
            self._metrics.record_nat_traversal("stun", "failed")
        if has_turn(servers):
            self._metrics.record_nat_traversal("turn", "failed")


class PortMappingRecorder:
    """Records whether the router has mapped a port. Each side has a router of its own, and records it.

    Args:
        warn: shows a warning to the user, who has asked for the mapping.
    """

    def __init__(self, metrics: Metrics, warn: Callable[[str], None]) -> None:
        self._metrics = metrics
        self._warn = warn

    def record(self, problem: str | None) -> None:
        """Record a result: None, or why no port was mapped."""
        self._metrics.record_nat_traversal("port_mapping", "success" if problem is None else "failed")
        if problem is not None:
            connection_logger.info("No port was mapped on the router")
            self._warn(f"no port was mapped on the router: {problem}")

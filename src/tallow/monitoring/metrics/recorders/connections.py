"""Record connections between peers, signaling and cryptography."""

from __future__ import annotations

from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.recorders.base import Recorder


class ConnectionRecorder(Recorder):
    """Records the metrics of WebRTC, relays and signaling."""

    def record_webrtc_connection(self, path: str, status: str, duration_s: float | None = None) -> None:
        """Record the end of an attempt to connect two peers by WebRTC.

        Args:
            path: ``direct`` or ``relay``; of a failed attempt, the path its policy allowed.
            status: ``success`` or ``failed``.
            duration_s: seconds from the first ICE candidate to the open data channel; None if it failed.

        Example:
            >>> metrics.record_webrtc_connection("direct", "success", duration_s=0.4)
            >>> metrics.value("connection_establishment_seconds_sum", type="direct")
            0.4
        """
        self._add(self._families["webrtc_connections_total"], (path, status))
        if duration_s is not None:
            self._observe(self._families["connection_establishment_seconds"], path, duration_s)

    def record_direct_connection(self, transport: str, status: str, duration_s: float | None = None) -> None:
        """Record whether a transfer that allowed a direct connection got one.

        Args:
            transport: ``tcp`` or ``webrtc``: the one that was used; of a failure, the last that was tried.
            status: ``success`` or ``failed``.
            duration_s: seconds from the offer to the connection over TCP. None if it failed, and for WebRTC,
                whose time :meth:`record_webrtc_connection` records.

        Example:
            >>> metrics.record_direct_connection("tcp", "success", duration_s=0.02)
            >>> metrics.value("direct_connections_total", transport="tcp", status="success")
            1.0
        """
        self._add(self._families["direct_connections_total"], (transport, status))
        if duration_s is not None:
            self._observe(self._families["connection_establishment_seconds"], "direct", duration_s)

    def record_nat_traversal(self, strategy: str, status: str) -> None:
        """Record the kind of ICE candidate (RFC 8445), or the port mapping, that was selected or failed.

        Args:
            strategy: ``host``, ``stun``, ``turn`` or ``port_mapping``.
            status: ``success`` or ``failed``.

        Example:
            >>> metrics.record_nat_traversal("stun", "success")
            >>> metrics.value("nat_traversal_total", strategy="stun", status="success")
            1.0
        """
        self._add(self._families["nat_traversal_total"], (strategy, status))

    def record_connection_quality(self, path: str, score: float) -> None:
        """Record the quality of a connection.

        Args:
            path: ``direct`` or ``relay``.
            score: 0 (unusable) to 100, from round-trip time and loss.

        Example:
            >>> metrics.record_connection_quality("direct", 85)
            >>> metrics.value("connection_quality_score_sum", type="direct")
            85.0
        """
        self._observe(self._families["connection_quality_score"], path, score)

    def record_turn_relay_usage(self, forced: bool) -> None:
        """Record a connection that uses a TURN relay.

        Args:
            forced: whether the user asked for a relay.

        Example:
            >>> metrics.record_turn_relay_usage(forced=True)
            >>> metrics.value("turn_relay_usage_total", forced="true")
            1.0
        """
        self._add(self._families["turn_relay_usage_total"], "true" if labels.as_bool(forced) else "false")

    def connection_opened(self, kind: str) -> None:
        """Record an opened connection.

        Args:
            kind: ``webrtc``, ``websocket`` or ``relay``.

        Example:
            >>> metrics.connection_opened("relay")
            >>> metrics.value("active_connections", type="relay")
            1.0
        """
        self._add(self._families["active_connections"], kind)

    def connection_closed(self, kind: str) -> None:
        """Record that an opened connection closed.

        Args:
            kind: as passed to :meth:`connection_opened`.

        Example:
            >>> metrics.connection_opened("relay")
            >>> metrics.connection_closed("relay")
            >>> metrics.value("active_connections", type="relay")
            0.0
        """
        self._add(self._families["active_connections"], kind, -1)

    def record_signaling_message(self, message_type: str, direction: str) -> None:
        """Record a signaling message of the server.

        Args:
            message_type: ``join``, ``leave``, ``offer``, ``answer``, ``candidate`` or ``error``.
            direction: ``in`` or ``out``.

        Example:
            >>> metrics.record_signaling_message("offer", "in")
            >>> metrics.value("signaling_messages_total", type="offer", direction="in")
            1.0
        """
        self._add(self._families["signaling_messages_total"], (message_type, direction))

    def device_connected(self, device_type: str) -> None:
        """Record a device that joined signaling.

        Args:
            device_type: ``desktop``, ``mobile`` or ``cli``.

        Example:
            >>> metrics.device_connected("cli")
            >>> metrics.value("device_connections", device_type="cli")
            1.0
        """
        self._add(self._families["device_connections"], device_type)

    def device_disconnected(self, device_type: str) -> None:
        """Record that a device left signaling.

        Args:
            device_type: as passed to :meth:`device_connected`.

        Example:
            >>> metrics.device_connected("cli")
            >>> metrics.device_disconnected("cli")
            >>> metrics.value("device_connections", device_type="cli")
            0.0
        """
        self._add(self._families["device_connections"], device_type, -1)


class CryptoRecorder(Recorder):
    """Records the metrics of key exchange and encryption."""

    def record_pqc_operation(self, operation: str, status: str, duration_s: float) -> None:
        """Record an ML-KEM-768 operation (FIPS 203).

        Args:
            operation: ``keygen``, ``encapsulate`` or ``decapsulate``.
            status: ``success`` or ``failed``.
            duration_s: seconds it took.

        Example:
            >>> metrics.record_pqc_operation("keygen", "success", duration_s=0.0002)
            >>> metrics.value("pqc_operations_total", operation="keygen", status="success")
            1.0
        """
        self._add(self._families["pqc_operations_total"], (operation, status))
        self._observe(self._families["pqc_duration_seconds"], operation, duration_s)

    def record_key_exchange(self, status: str, algorithm: str = "x25519_mlkem768") -> None:
        """Record a key exchange.

        Args:
            status: ``success`` if the peers confirmed that they have the same key, else ``failed``.
            algorithm: the hybrid key exchange.

        Example:
            >>> metrics.record_key_exchange("success")
            >>> metrics.value("pqc_key_exchanges_total", algorithm="x25519_mlkem768", status="success")
            1.0
        """
        self._add(self._families["pqc_key_exchanges_total"], (algorithm, status))

    def record_encryption(
        self, operation: str, status: str, duration_s: float, algorithm: str = "aes_256_gcm"
    ) -> None:
        """Record an authenticated encryption or decryption.

        Args:
            operation: ``encrypt`` or ``decrypt``.
            status: ``success`` or ``failed``.
            duration_s: seconds it took.
            algorithm: ``aes_256_gcm`` or ``chacha20_poly1305``.

        Example:
            >>> metrics.record_encryption("encrypt", "success", duration_s=0.0003)
            >>> metrics.value("encryption_duration_seconds_sum", algorithm="aes_256_gcm", operation="encrypt")
            0.0003
        """
        self._add(self._families["encryption_operations_total"], (algorithm, operation, status))
        self._observe(self._families["encryption_duration_seconds"], (algorithm, operation), duration_s)

"""The services of the profiles ``logs``, ``promtail`` and ``turn``."""

from __future__ import annotations

from tallow.stack.compose import application, health, images
from tallow.stack.compose.monitoring import NOBODY
from tallow.stack.compose.service import CONFIG, SCRATCH, SECRETS, Service, hardened, mount, published

_LOG_VOLUME = "tallow-logs:/var/log/tallow:ro"


def loki() -> Service:
    """Stores log lines."""
    return hardened(
        images.LOKI,
        profiles=["logs", "promtail"],
        user="10001:10001",
        memory="1g",
        networks=["logs", "monitoring"],
        ports=[published("LOKI_PORT", 3100)],
        command=["-config.file=/etc/loki/config/loki.yml"],
        volumes=[mount(f"{CONFIG}/loki", "/etc/loki/config"), "loki-data:/loki"],
        tmpfs=[SCRATCH],
        health=health.LOKI,
    )


def collector() -> Service:
    """The OpenTelemetry Collector, which reads Tallow's log file and sends the lines to Loki.

    Its image has no shell and no HTTP client: nothing inside can ask it. Its health page is published.
    """
    return hardened(
        images.COLLECTOR,
        profiles=["logs"],
        user=application.USER,
        memory="512m",
        networks=["logs", "monitoring"],
        ports=[published("COLLECTOR_PORT", 13133)],
        command=["--config=/etc/collector/collector.yml"],
        volumes=[
            mount(f"{CONFIG}/collector", "/etc/collector"),
            _LOG_VOLUME,
            f"{application.SHIPPER_VOLUME}:/var/lib/otelcol",
        ],
        depends_on={"tallow": {"condition": "service_started"}},
        health=None,
    )


def promtail() -> Service:
    """Promtail, for those who still run it; it has reached its end of life."""
    return hardened(
        images.PROMTAIL,
        profiles=["promtail"],
        user=application.USER,
        memory="256m",
        networks=["logs", "monitoring"],
        ports=[published("PROMTAIL_PORT", 9080)],
        command=["-config.file=/etc/promtail/config/promtail.yml"],
        volumes=[
            mount(f"{CONFIG}/promtail", "/etc/promtail/config"),
            _LOG_VOLUME,
            f"{application.SHIPPER_VOLUME}:/var/lib/promtail",
        ],
        depends_on={"tallow": {"condition": "service_started"}},
        tmpfs=[SCRATCH],
        health=health.PROMTAIL,
    )


def turn() -> Service:
    """coturn, for peers that cannot reach each other.

    Its program file carries a capability to bind low ports, and the kernel refuses to start such a file where
    the capability is dropped.
    """
    return hardened(
        images.COTURN,
        profiles=["turn"],
        user=NOBODY,
        memory="256m",
        cap_add=["NET_BIND_SERVICE"],
        networks=["app"],
        ports=["${TURN_PORT:-3478}:3478/tcp", "${TURN_PORT:-3478}:3478/udp", "49160-49200:49160-49200/udp"],
        command=["-c", "/run/secrets/turn/turnserver.conf"],
        volumes=[mount(f"{SECRETS}/turn", "/run/secrets/turn")],
        tmpfs=["/var/lib/coturn:size=16m,mode=1777", "/var/tmp:size=1m,mode=1777", SCRATCH],  # noqa: S108
        health=health.COTURN,
    )

"""The services that run Tallow's image: the server, and the heartbeat checker."""

from __future__ import annotations

from typing import Final

from tallow.stack.compose import images
from tallow.stack.compose.health import python_check
from tallow.stack.compose.service import SCRATCH, Service, hardened, published, secret
from tallow.stack.prometheus import METRICS_TOKEN_FILE, PASSWORD_FILE

SETTINGS: Final = "settings.env"
SHIPPER_VOLUME: Final = "log-shipper-data"
"""Holds the position of the log shipper in Tallow's log file, and lines that wait for Loki."""
USER: Final = "10001:10001"
"""The user of the image. The Collector's image has the same one, so that it can read Tallow's log file."""
_IMAGE: Final = f"${{TALLOW_IMAGE:-{images.TALLOW}}}"
_SETTINGS_FILE: Final = f"/run/secrets/{SETTINGS}"


def tallow() -> Service:
    """The server. Its memory limit is above the threshold of HighMemoryUsage, so that the alert comes first.

    It has a terminal, so that it writes its log to standard output and to the file that a log shipper reads.
    """
    return hardened(
        _IMAGE,
        build={"context": "${TALLOW_SOURCE:-..}", "args": {"WEBRTC": "${TALLOW_WEBRTC:-0}"}},
        user=USER,
        memory="2g",
        cpus="2.0",
        pids=512,
        networks=["app", "scrape"],
        ports=[published("TALLOW_PORT", 3000)],
        environment={
            "TALLOW_ENV_FILE": _SETTINGS_FILE,
            "METRICS_TOKEN_FILE": f"/run/secrets/{METRICS_TOKEN_FILE}",
            "HEALTH_CHECK_TOKEN_FILE": f"/run/secrets/{METRICS_TOKEN_FILE}",
            "LOG_FORMAT": "json",
            "LOG_FILE": "/var/log/tallow/tallow.log",
        },
        secrets=[secret(SETTINGS), secret(METRICS_TOKEN_FILE)],
        volumes=[
            "tallow-data:/var/lib/tallow",
            "tallow-logs:/var/log/tallow",
            # A new volume gets the owner of the folder that it is first mounted over. The image of the
            # Collector has no such folder: its user could not write there.
            f"{SHIPPER_VOLUME}:/var/lib/log-shipper:ro",
        ],
        tmpfs=[SCRATCH],
        tty=True,
        stop_grace_period="30s",
        health=python_check("http://127.0.0.1:3000/api/health/readiness"),
    )


def heartbeat() -> Service:
    """The heartbeat checker: notifies if Alertmanager stops calling it."""
    return hardened(
        _IMAGE,
        user=USER,
        memory="256m",
        networks=["monitoring"],
        ports=[published("HEARTBEAT_PORT", 9095)],
        entrypoint=["python", "-m", "tallow.stack.heartbeat"],
        command=[
            "--host=0.0.0.0",
            "--port=9095",
            "--allow-host=heartbeat",
            "--folder=/var/lib/tallow",
            f"--password-file=/run/secrets/{PASSWORD_FILE}",
            "--mailbox=mailbox:1025",
            "--dashboards=http://localhost:${GRAFANA_PORT:-3001}",
            "--url=http://localhost:${HEARTBEAT_PORT:-9095}",
            "--port-offset=${TALLOW_PORT_OFFSET:-0}",
        ],
        environment={"TALLOW_ENV_FILE": _SETTINGS_FILE, "LOG_FORMAT": "json"},
        secrets=[secret(SETTINGS), secret(PASSWORD_FILE)],
        volumes=["heartbeat-data:/var/lib/tallow"],
        tmpfs=[SCRATCH],
        health=python_check("http://127.0.0.1:9095/healthz"),
    )

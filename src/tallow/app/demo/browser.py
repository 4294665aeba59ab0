"""Reports that only browsers send: service worker, installation, notifications. For tests that need data
in every dashboard panel."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

from tallow.app.demo.raw_client import join_as_raw_client
from tallow.app.peer.server_client import tls_context
from tallow.app.wire import Device
from tallow.monitoring.catalog import METRICS

BROWSERS_ONLY: Final = ("service_worker_events_total", "pwa_installs_total", "notifications_sent_total")
DEVICES: Final[tuple[Device, ...]] = ("desktop", "mobile")
STAY_S: Final = 0.5


async def feed_browser_metrics(
    origin: str, context: ssl.SSLContext | None = None, *, times: int = 1, stay_s: float = STAY_S
) -> None:
    """Report every event of every metric that only browsers report, ``times`` times from each of two devices.

    Args:
        origin: the server's origin.
        stay_s: seconds that the devices stay in their rooms, so that a scrape sees them.

    Raises:
        PeerError: the server does not create a room.
        RuntimeError: the server refuses a report.
    """
    await asyncio.gather(
        *(_feed(origin, context or tls_context(), device, times, stay_s) for device in DEVICES)
    )


async def _feed(origin: str, context: ssl.SSLContext, device: Device, times: int, stay_s: float) -> None:
    async with join_as_raw_client(origin, context, device) as client:
        for _ in range(times):
            response = await client.report({name: _rows(name, device) for name in BROWSERS_ONLY})
            if response.status_code != 200:
                raise RuntimeError(
                    f"the server answered the report with {response.status_code}: {response.text}"
                )
        await asyncio.sleep(stay_s)


def _rows(name: str, device: Device) -> list[dict[str, Any]]:
    """One event for each combination of a metric's labels; an installation has one platform."""
    rows: list[dict[str, str]] = [{}]
    for label in METRICS[name].labels:
        rows = [row | {label.name: value} for row in rows for value in label.values if value != "other"]
    if name == "pwa_installs_total":
        rows = [{"platform": "desktop" if device == "desktop" else "android"}]
    return [{"labels": row, "value": 1} for row in rows]

"""Metrics of features and of the web app."""

from __future__ import annotations

from tallow.monitoring.catalog.declaration import Registered, counter
from tallow.monitoring.catalog.label_values import FILE_TYPES, STATUSES
from tallow.monitoring.catalog.model import OTHER

FEATURES = (
    counter(
        "feature_usage_total", "Uses of a feature.", {"feature": Registered(on_use=False)}, source="both"
    ),
    counter(
        "settings_changes_total",
        "Changes of a setting, never its value.",
        {
            "setting": Registered(
                "relay_preference", "telemetry", "notifications", "theme", "keep_metadata", on_use=False
            )
        },
        source="peer",
    ),
    counter(
        "metadata_stripped_total",
        "Files whose metadata (EXIF and the like) was removed before sending.",
        {"file_type": FILE_TYPES, "status": STATUSES},
        source="peer",
    ),
    counter(
        "turn_relay_usage_total",
        "Connections whose ICE pair is a TURN candidate, by whether that was forced.",
        {"forced": ("true", "false")},
        source="peer",
    ),
)

WEB_APP = (
    counter(
        "service_worker_events_total",
        "Events of the web app's service worker.",
        {"event": ("install", "activate", "fetch", "sync", "push", "message", "error")},
        source="peer",
    ),
    counter(
        "pwa_installs_total",
        "Installations of the web app.",
        {"platform": ("desktop", "android", "ios", OTHER)},
        source="peer",
    ),
    counter(
        "notifications_sent_total",
        "Notifications the web app showed or could not show.",
        {
            "type": ("transfer_request", "transfer_complete", "connection", OTHER),
            "status": ("sent", "denied", "failed"),
        },
        source="peer",
    ),
)

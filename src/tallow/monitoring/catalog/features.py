"""Metrics of features and of the web app."""

from __future__ import annotations

from tallow.monitoring.catalog.labels import FILE_TYPE, STATUS
from tallow.monitoring.catalog.model import OTHER, Metric, closed, registered

FEATURES = (
    Metric("feature_usage_total", "counter", "Uses of a feature.", (registered("feature"),), source="both"),
    Metric(
        "settings_changes_total",
        "counter",
        "Changes of a setting, never its value.",
        (registered("setting", "relay_preference", "telemetry", "notifications", "theme", "keep_metadata"),),
        source="peer",
    ),
    Metric(
        "metadata_stripped_total",
        "counter",
        "Files whose metadata (EXIF and the like) was removed before sending.",
        (FILE_TYPE, STATUS),
        source="peer",
    ),
    Metric(
        "turn_relay_usage_total",
        "counter",
        "Connections whose ICE pair is a TURN candidate, by whether that was forced.",
        (closed("forced", "true", "false"),),
        source="peer",
    ),
)

WEB_APP = (
    Metric(
        "service_worker_events_total",
        "counter",
        "Events of the web app's service worker.",
        (closed("event", "install", "activate", "fetch", "sync", "push", "message", "error"),),
        source="peer",
    ),
    Metric(
        "pwa_installs_total",
        "counter",
        "Installations of the web app.",
        (closed("platform", "desktop", "android", "ios", OTHER),),
        source="peer",
    ),
    Metric(
        "notifications_sent_total",
        "counter",
        "Notifications the web app showed or could not show.",
        (
            closed("type", "transfer_request", "transfer_complete", "connection", OTHER),
            closed("status", "sent", "denied", "failed"),
        ),
        source="peer",
    ),
)

"""The resource of everything that is sent: who sends it, without private data.

The SDK's detectors are not used: they add host names, command lines and user names.
"""

from __future__ import annotations

import os
import uuid
from typing import Any
from urllib.parse import unquote

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.version import __version__ as sdk_version

from tallow.monitoring.lazy_scrubber import scrub
from tallow.monitoring.settings import process_options
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings


def make_resource(settings: MonitoringSettings) -> Resource:
    """Return the resource: the settings, overridden by OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME.

    Each process has an instance id of its own, so that sums of several workers are distinct streams.
    """
    given: dict[str, Any] = {
        "service.name": process_options.service_name(settings.service_name),
        "service.version": process_options.service_version(settings.release)
        or process_options.UNKNOWN_VERSION,
        "deployment.environment.name": settings.environment,
        **_environment_attributes(),
    }
    if name := os.environ.get("OTEL_SERVICE_NAME"):
        given["service.name"] = name
    return Resource(
        {"service.instance.id": str(uuid.uuid4())}
        | scrub(given)
        | {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": sdk_version,
        }
    )


def _environment_attributes() -> dict[str, str]:
    """Return the pairs of OTEL_RESOURCE_ATTRIBUTES. If one is invalid, all are discarded (specification)."""
    pairs = [pair for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",") if pair.strip()]
    if any("=" not in pair for pair in pairs):
        return {}
    split = (pair.partition("=") for pair in pairs)
    return {name.strip(): unquote(value.strip()) for name, _, value in split}

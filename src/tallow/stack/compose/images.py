"""The images of the Compose file, each with an exact version."""

from __future__ import annotations

from typing import Final

from tallow import __version__

TALLOW: Final = f"tallow:{__version__}"
"""Built from ``Dockerfile``; no registry has it."""

PROMETHEUS: Final = "prom/prometheus:v3.13.3"
ALERTMANAGER: Final = "prom/alertmanager:v0.35.0"
NODE_EXPORTER: Final = "prom/node-exporter:v1.12.1"
CADVISOR: Final = "ghcr.io/google/cadvisor:v0.60.6"
GRAFANA: Final = "grafana/grafana:13.2.3"
MAILPIT: Final = "axllent/mailpit:v1.33.1"
LOKI: Final = "grafana/loki:3.7.8"
COLLECTOR: Final = "otel/opentelemetry-collector-contrib:0.165.0"
PROMTAIL: Final = "grafana/promtail:3.5.7"
"""Promtail has reached its end of life: Loki 3.6 is the last release that has it. This version has read the
configuration in a test."""
COTURN: Final = "coturn/coturn:4.17.2-r0"
"""A tag with a revision is built once. Older versions have known holes, such as CVE-2026-53450: a peer
evades the denied addresses."""

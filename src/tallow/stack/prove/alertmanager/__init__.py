"""Read an Alertmanager configuration: routes, receivers, inhibition rules, with their lines."""

from __future__ import annotations

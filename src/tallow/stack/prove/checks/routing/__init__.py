"""Checks of rules together with an Alertmanager configuration."""

from __future__ import annotations

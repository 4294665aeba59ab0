"""Run the real promtool on rules and tests."""

from __future__ import annotations

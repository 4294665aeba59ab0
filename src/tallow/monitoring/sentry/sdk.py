"""The SDK while it reports, or None: so that without a DSN a call costs next to nothing."""

from __future__ import annotations

from types import ModuleType

active: ModuleType | None = None

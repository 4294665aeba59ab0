"""The SDK's module while it reports, otherwise None. Without a DSN a call only compares this with None."""

from __future__ import annotations

from types import ModuleType

active: ModuleType | None = None

"""Search the values with which an alert fires, and those just below."""

from __future__ import annotations

"""Forms of a report: JSON and SARIF for programs, a page for people."""

from __future__ import annotations

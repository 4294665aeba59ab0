"""Find input series under which an alert fires, and series just below under which it stays quiet."""

from __future__ import annotations

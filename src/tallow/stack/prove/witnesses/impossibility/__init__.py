"""Why some expressions never have a result, whatever the series are."""

from __future__ import annotations

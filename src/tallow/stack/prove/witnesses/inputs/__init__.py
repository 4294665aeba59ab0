"""Choose the series, labels and times with which a search starts."""

from __future__ import annotations

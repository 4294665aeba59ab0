"""What the metrics of the user are: names, types, labels, values, buckets."""

from __future__ import annotations

"""Features whose use is counted: the values of the label ``feature`` of ``feature_usage_total``."""

from __future__ import annotations

from typing import Final

FEATURES: Final = (
    "send",
    "receive",
    "resume",
    "multiple_files",
    "relay_only",
    "keep_metadata",
    "json_output",
    "qr_code",
)

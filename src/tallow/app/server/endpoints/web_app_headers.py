"""Response headers of the page: what a browser lets it load, run, and tell to others.

The page may load from its own origin only, create script URLs through its one Trusted Types policy, and sends
no ``Referer``. The policy was tried in Chromium, Firefox and WebKitGTK. ``frame-ancestors`` is ``'self'``
since the download of a browser without ``showSaveFilePicker`` runs in a frame of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TRUSTED_TYPES_POLICY: Final = "tallow"
"""Name of the only Trusted Types policy, created in ``web/app/src``."""

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "manifest-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
        "require-trusted-types-for 'script'",
        f"trusted-types {TRUSTED_TYPES_POLICY}",
    )
)

PERMISSIONS_POLICY: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)
"""Features that the page never uses, refused to it and to anything inside it."""

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": PERMISSIONS_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers of every file of the page. A worker has the policy of its own script's response."""

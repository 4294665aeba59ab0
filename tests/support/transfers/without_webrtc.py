"""Runs a `tallow` command as if the extra ``webrtc`` were not installed: ``without_webrtc.py send FILE``."""

from __future__ import annotations

import sys

ONLY_FOR_WEBRTC = ("aiortc", "aioice", "av", "pylibsrtp", "OpenSSL")

if __name__ == "__main__":
    for name in ONLY_FOR_WEBRTC:
        sys.modules[name] = None  # type: ignore[assignment]
    from tallow.cli import main

    sys.exit(main())

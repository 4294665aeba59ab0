"""Anonymous usage statistics, sent from the server to Plausible's Events API.

There are no cookies and no identifiers. Requests with ``DNT: 1`` or ``Sec-GPC: 1`` are not counted.
Properties are categories: a size category, never a size. Nothing is sent unless ``PLAUSIBLE_DOMAIN`` is set::

    analytics.transfer_funnel.start_transfer()
    analytics.goal("link_copied")
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.analytics.client import Analytics
from tallow.monitoring.analytics.session import Session

__all__ = ["Analytics", "Session", "analytics"]

analytics: Final = Analytics()
"""The client of the process. It reads the settings at its first event.

    >>> analytics.goal("link_copied")
    >>> analytics.transfer_funnel.complete_transfer(size_bytes=5_000_000, duration_s=12.5, method="p2p")
"""

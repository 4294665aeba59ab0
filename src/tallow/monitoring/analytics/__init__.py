"""What is used, counted without knowing by whom: Plausible's Events API, from the server.

No cookie and no identifier; nobody who sends ``DNT: 1`` or ``Sec-GPC: 1`` is counted; properties are classes
(a size class, never a size). Nothing is sent unless ``PLAUSIBLE_DOMAIN`` is set::

    analytics.transfer_funnel.start_transfer()
    analytics.goal("link_copied")
"""

from __future__ import annotations

from typing import Final

from tallow.monitoring.analytics.client import Analytics
from tallow.monitoring.analytics.session import Session

__all__ = ["Analytics", "Session", "analytics"]

analytics: Final = Analytics()
"""The process's own, which reads the settings with its first event."""

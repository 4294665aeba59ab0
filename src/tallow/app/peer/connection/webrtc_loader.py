"""The import of WebRTC, which takes a fourth of a second and more."""

from __future__ import annotations

import asyncio
import importlib
from types import ModuleType
from typing import Final

from tallow.app.peer.tasks import start_task

WEBRTC_MODULE: Final = "tallow.app.channels.webrtc"


class WebRtcLoader:
    """Imports WebRTC in a thread, ahead of its use.

    Args:
        delay: seconds before the import starts by itself.
    """

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loading: asyncio.Task[ModuleType] | None = None

    def start(self) -> None:
        """Start to import after the delay."""
        self._loading = start_task(_load(self._delay), "load webrtc")

    def stop(self) -> None:
        """Do not start any more. An import that runs goes on."""
        if self._loading is not None:
            self._loading.cancel()

    async def module(self) -> ModuleType:
        """The module, as soon as the import that was started ends; without one it starts now.

        Raises:
            ImportError: aiortc is not installed, or not for this Python or system.
        """
        if self._loading is None or self._loading.cancelled():
            self._loading = start_task(_load(0), "load webrtc")
        return await asyncio.shield(self._loading)


async def _load(delay: float) -> ModuleType:
    await asyncio.sleep(delay)
    # A second import waits for the first one, in a thread without holding up the event loop.
    return await asyncio.to_thread(importlib.import_module, WEBRTC_MODULE)

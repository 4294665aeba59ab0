"""Readiness checks of the server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tallow.app.server.storage.database import StoreError
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.health.disk_space import require_space


class DatabaseCheck:
    """Checks that a room can be created, now and for a while.

    A room is added and deleted. For a while that works on a full disk, too: SQLite writes into the space that
    its log has already. Hence a file is written beside the database as well.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        url = store.engine.url
        is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
        self._folder = Path(str(url.database)).parent if is_file else None

    async def run(self) -> None:
        """Check it.

        Raises:
            StoreError: the database cannot be reached, is locked, or cannot be written.
        """
        await self._store.check_writable()
        if self._folder is not None:
            try:
                await asyncio.to_thread(require_space, self._folder)
            except OSError as error:
                raise StoreError(error.strerror or type(error).__name__) from error

"""A file descriptor that one thread may close while another one uses it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Descriptor:
    """Owns a file descriptor. It is closed after :meth:`close`, as soon as no thread uses it.

    A blocking call in a thread cannot be cancelled. If its descriptor were closed, the system could
    give the number to another file, and the thread would write to that file.

    Args:
        number: the open descriptor; -1 for none.
    """

    def __init__(self, number: int = -1) -> None:
        self._number = number
        self._closed = number < 0
        self._users = 0
        self._lock = threading.Lock()

    @contextmanager
    def use(self) -> Iterator[int]:
        """The number, which stays valid inside the block.

        Raises:
            OSError: EBADF, after :meth:`close`.
        """
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._users += 1
        try:
            yield self._number
        finally:
            with self._lock:
                self._users -= 1
                self._close_if_unused()

    def close(self) -> None:
        """Close it now, or at the end of the last :meth:`use`. Never blocks; a second call does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed and not self._users:
            os.close(self._number)

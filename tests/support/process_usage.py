"""Memory and open files of a process."""

from __future__ import annotations

import psutil


def open_descriptors(pid: int | None = None) -> int:
    """Open file descriptors of a process, this one by default."""
    return psutil.Process(pid).num_fds()


def resident_bytes(pid: int | None = None) -> int:
    """Resident memory in bytes."""
    return psutil.Process(pid).memory_info().rss

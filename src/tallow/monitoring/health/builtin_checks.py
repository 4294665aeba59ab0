"""The checks every application has: its settings and folders, and the memory it may use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from tallow.monitoring.health.check import Status

DEGRADED_SHARE: Final = 0.90
UNHEALTHY_SHARE: Final = 0.97
"""Shares of the memory at which a process is degraded, and at which the kernel is about to end it."""

CGROUP: Final = Path("/sys/fs/cgroup")


def check_environment() -> Status:
    """Settings that can be read, and folders of the log and the spool that can be written to.

    Raises:
        BadSettingError: a setting cannot be used.
    """
    from tallow.monitoring.settings import current_settings
    from tallow.monitoring.settings.base import is_writable_folder  # pydantic takes a while

    settings = current_settings()
    folders = [settings.log_spool_dir, settings.log_file.parent if settings.log_file else None]
    return Status.HEALTHY if all(map(is_writable_folder, filter(None, folders))) else Status.DEGRADED


def check_memory() -> Status:
    """How full the memory is: the container's if it has a limit, else the machine's."""
    used = container_memory_share(CGROUP)
    if used is None:
        used = psutil.virtual_memory().percent / 100
    if used >= UNHEALTHY_SHARE:
        return Status.UNHEALTHY
    return Status.DEGRADED if used >= DEGRADED_SHARE else Status.HEALTHY


def container_memory_share(cgroup: Path) -> float | None:
    """The share of a control group's memory limit in use, without file pages the kernel can drop at will;
    None where there is no limit.

    Source: the kernel's documentation of cgroup v2 (memory.max, memory.current, memory.stat) and of v1.
    """
    for limit, current, stat, inactive in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        try:
            most = int((cgroup / limit).read_text())
            held = int((cgroup / current).read_text())
            lines = (line.split() for line in (cgroup / stat).read_text().splitlines())
        except (OSError, ValueError):  # "max": no limit
            continue
        reclaimable = next((int(line[1]) for line in lines if line and line[0] == inactive), 0)
        if 0 < most < psutil.virtual_memory().total:
            return max(0, held - reclaimable) / most
    return None

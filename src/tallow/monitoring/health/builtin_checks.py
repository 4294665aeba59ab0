"""The checks of every application: its settings and folders, and its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from tallow.monitoring.health.disk_space import has_space
from tallow.monitoring.health.result import Status

DEGRADED_SHARE: Final = 0.90
UNHEALTHY_SHARE: Final = 0.97
"""Used shares of the memory from which the check reports degraded and unhealthy."""

CGROUP: Final = Path("/sys/fs/cgroup")


def check_environment() -> Status:
    """Check that the settings are usable and that the folders of the log and the spool take data.

    Raises:
        BadSettingError: a setting has an invalid value.
    """
    from tallow.monitoring.settings import current_settings  # loads pydantic, which takes a while

    settings = current_settings()
    folders = [settings.log_spool_dir, settings.log_file.parent if settings.log_file else None]
    return Status.HEALTHY if all(map(has_space, filter(None, folders))) else Status.DEGRADED


def check_memory() -> Status:
    """Check the share of memory in use, of the container if it has a limit, otherwise of the machine."""
    used = container_memory_share(CGROUP)
    if used is None:
        used = psutil.virtual_memory().percent / 100
    if used >= UNHEALTHY_SHARE:
        return Status.UNHEALTHY
    return Status.DEGRADED if used >= DEGRADED_SHARE else Status.HEALTHY


def container_memory_share(cgroup: Path) -> float | None:
    """Return the used share of a control group's memory limit, or None without a limit.

    File pages that the kernel can drop are not counted.

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
            limit_bytes = int((cgroup / limit).read_text())
            used_bytes = int((cgroup / current).read_text())
            lines = (line.split() for line in (cgroup / stat).read_text().splitlines())
        except (OSError, ValueError):  # "max": no limit
            continue
        reclaimable = next((int(line[1]) for line in lines if line and line[0] == inactive), 0)
        if 0 < limit_bytes < psutil.virtual_memory().total:
            return max(0, used_bytes - reclaimable) / limit_bytes
    return None

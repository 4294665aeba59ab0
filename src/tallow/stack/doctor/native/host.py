"""The machine: disk space, the clock, the user, and limits of the operating system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import psutil

from tallow.stack.doctor.model import Check, NotApplicableError, Problem
from tallow.stack.doctor.native.installation import Installation, with_api
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.supervisor import state_files
from tallow.stack.prometheus import RETENTION_SIZE, RETENTION_TIME
from tallow.stack.sizing.estimate import Fleet, estimate
from tallow.stack.sizing.measurements import load
from tallow.stack.sizing.text import bytes_text
from tallow.stack.sizing.topology import SHIPPED_DISK_LIMIT_BYTES

MIN_FREE_RATIO: Final = 0.10
"""Below it the alert DiskFilling fires."""
MAX_CLOCK_ERROR_S: Final = 30.0
"""Alertmanager, TLS and sign-in tolerate less than minutes; Prometheus refuses samples of the future."""
MIN_OPEN_FILES: Final = 4096


def _disk(installation: Installation) -> Iterator[Problem]:
    folder = installation.data_folder
    usage = installation.disk_usage(folder)
    if usage.free < MIN_FREE_RATIO * usage.total:
        yield Problem(
            f"the disk of {folder} has {bytes_text(usage.free)} of {bytes_text(usage.total)} left",
            "free space; docs/runbooks/DiskFilling.md says where to look",
        )


def _retention(installation: Installation) -> Iterator[Problem]:
    usage = installation.disk_usage(installation.home.data)
    samples = installation.home.data / "prometheus"
    stored = sum(path.stat().st_size for path in samples.rglob("*") if path.is_file())
    available = usage.free + stored
    needed = estimate(Fleet(1), load()).disk_bytes
    if needed > available:
        yield Problem(
            f"{RETENTION_TIME} of samples need {bytes_text(needed)}; {bytes_text(available)} are free",
            "put the stack's folder on a larger disk (--home); docs/capacity.md has the figures",
        )
    elif available < SHIPPED_DISK_LIMIT_BYTES:
        yield Problem(
            f"Prometheus keeps up to {RETENTION_SIZE}; there is room for {bytes_text(available)}",
            "put the stack's folder on a larger disk (--home), or watch DiskFilling",
            "warning",
        )


def _clock(installation: Installation) -> Iterator[Problem]:
    if installation.is_clock_synchronised() is False:
        yield Problem(
            "the kernel's clock is not synchronised",
            "start a time service, such as: timedatectl set-ntp true",
            "warning",
        )


@with_api("prometheus")
def _samples(installation: Installation, api: Api) -> Iterator[Problem]:
    """Samples of the future: the clock was set back, and Prometheus refuses samples until it catches up."""
    with api.reading():
        newest = int(api.get("/api/v1/status/tsdb")["data"]["headStats"]["maxTime"]) / 1000
    if (ahead := newest - installation.now()) > MAX_CLOCK_ERROR_S:
        yield Problem(
            f"the newest sample is {ahead:.0f} s in the future: the clock was set back",
            "correct the clock, or wait until that time; until then no alert is evaluated on new samples",
        )


def _user(_: Installation) -> Iterator[Problem]:
    if os.geteuid() == 0:
        yield Problem(
            "the stack runs as root, which it does not need",
            "start it as an ordinary user with a --home of its own",
            "warning",
        )


def _open_files(installation: Installation) -> Iterator[Problem]:
    status = state_files.read_status(installation.home).services
    for name in ("tallow", "prometheus"):
        process = status[name].process() if name in status else None
        limit = _open_file_limit(process) if process else None
        if limit is not None and limit < MIN_OPEN_FILES:
            restart = installation.command("up", "--restart")
            yield Problem(
                f"{name} may open {limit} files and connections",
                f"raise the limit (ulimit -n {MIN_OPEN_FILES}), then: {restart}",
                "warning",
            )


def _open_file_limit(process: psutil.Process) -> int | None:
    if not hasattr(process, "rlimit"):  # macOS
        raise NotApplicableError("this system does not tell a process's limits")
    soft, _ = process.rlimit(psutil.RLIMIT_NOFILE)
    return None if soft == psutil.RLIM_INFINITY else int(soft)


CHECKS: Final = (
    Check("disk", "The disk has at least a tenth of its space left", _disk),
    Check("retention", "The disk has room for what Prometheus keeps", _retention),
    Check("clock", "The clock is synchronised", _clock),
    Check("samples", "No sample is in the future", _samples),
    Check("user", "The stack runs as an ordinary user", _user),
    Check("open-files", "Processes may open enough files and connections", _open_files),
)

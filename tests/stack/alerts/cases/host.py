"""When the alerts on the host fire, and when not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stack.alerts.cases.self_monitoring.programs import NODE, of
from support.alert_rules.promtool import Case, counter, gauge, merged

START = "tallow_process_start_time_seconds"
REQUESTED = "tallow_process_requested_start_time_seconds"


def disk(
    available: str,
    *,
    mount: str = "/",
    fstype: str = "ext4",
    readonly: str | None = None,
    device: str = "/dev/sda1",
    inodes: str | None = None,
) -> dict[str, str]:
    """A file system of 100 bytes and 100 inodes with ``available`` bytes and ``inodes`` inodes free."""
    labels = f'device="{device}",fstype="{fstype}",mountpoint="{mount}"'
    return merged(
        of(NODE, "node_filesystem_avail_bytes", available, labels),
        of(NODE, "node_filesystem_size_bytes", gauge((240, 100)), labels),
        of(NODE, "node_filesystem_files_free", inodes or gauge((240, 90)), labels),
        of(NODE, "node_filesystem_files", gauge((240, 100)), labels),
        of(NODE, "node_filesystem_readonly", readonly or gauge((240, 0)), labels),
    )


def disk_without_inodes(mount: str) -> dict[str, str]:
    """A file system that creates inodes as it needs them, as Btrfs: it reports none."""
    labels = f'device="/dev/sdc1",fstype="btrfs",mountpoint="{mount}"'
    series = disk(gauge((240, 50)), mount=mount, fstype="btrfs", device="/dev/sdc1")
    none = gauge((240, 0))
    return (
        series
        | of(NODE, "node_filesystem_files", none, labels)
        | of(NODE, "node_filesystem_files_free", none, labels)
    )


def restarts(*minutes: float, requested: Collection[float] = ()) -> dict[str, str]:
    """A process that restarts at each of these minutes, at some of them on request."""
    return {
        START: _starts(minutes),
        REQUESTED: _starts([minute for minute in minutes if minute in requested]),
    }


def _starts(minutes: Sequence[float]) -> str:
    ends = [*minutes, 120]
    begins = [0.0, *minutes]
    return gauge(*((end - begin, begin * 60) for begin, end in zip(begins, ends, strict=True)))


FULL = {**NODE, "mountpoint": "/"}

DISKS = [
    Case(
        "DiskFilling",
        "fires when less than a tenth has been free for ten minutes, and resolves",
        merged(
            disk(counter((20, 0), (1, -2), (29, 0), (1, 32), (150, 0), start=11)),
            disk(gauge((240, 50)), device="/dev/sdb1"),
            disk(gauge((240, 50)), mount="/data"),
        ),
        quiet=(20, 30.25, 51),
        firing=(31.25, 49.5),
        labels=FULL,
        kinds=("fires",),
    ),
    Case(
        "DiskFilling",
        "stays quiet when just over a tenth is free and nothing is written",
        disk(gauge((120, 10.5))),
        quiet=(20, 119),
        labels=FULL,
        kinds=("below",),
    ),
    Case(
        "DiskFilling",
        "fires when less than 40 % is free and will not last four hours, and resolves",
        merged(
            disk(counter((60, 0), (70, -0.14), (70, 0), start=38)),
            disk(gauge((240, 50)), device="/dev/sdb1"),
        ),
        quiet=(60, 119, 180),
        firing=(121.5, 135),
        labels=FULL,
        kinds=("fires",),
    ),
    Case(
        "DiskFilling",
        "stays quiet when less than 40 % is free and lasts longer than four hours",
        disk(counter((120, -0.09), start=39)),
        quiet=(30, 80, 119),
        labels=FULL,
        kinds=("below",),
    ),
    Case(
        "DiskFilling",
        "stays quiet when more than 40 % is free, however fast it fills",
        disk(counter((60, -0.3), start=60)),
        quiet=(30, 59),
        labels=FULL,
        kinds=("below",),
    ),
    Case(
        "DiskFilling",
        "stays quiet about read-only disks, memory and mounted images",
        merged(
            disk(gauge((60, 1)), mount="/cdrom", readonly=gauge((240, 1))),
            disk(gauge((60, 1)), mount="/tmp", fstype="tmpfs"),
            disk(gauge((60, 1)), mount="/snap", fstype="squashfs"),
            disk(counter((60, -0.3), start=30), mount="/run", fstype="tmpfs"),
        ),
        quiet=(30, 59),
    ),
    Case(
        "DiskFilling",
        "fires when less than a tenth of the inodes has been free for ten minutes, and resolves",
        merged(
            disk(gauge((240, 50)), inodes=gauge((20, 11), (30, 9), (30, 11))),
            disk(gauge((240, 50)), device="/dev/sdb1"),
        ),
        quiet=(20, 29.25, 51),
        firing=(30.75, 49.5),
        labels=FULL,
        kinds=("fires",),
    ),
    Case(
        "DiskFilling",
        "stays quiet when just over a tenth of the inodes is free, and on a file system that has none",
        disk(gauge((120, 50)), inodes=gauge((120, 10.5)))
        | disk_without_inodes(mount="/data")
        | disk(gauge((120, 50)), mount="/run", fstype="tmpfs", inodes=gauge((120, 1))),
        quiet=(20, 119),
        labels=FULL,
        kinds=("below",),
    ),
    Case(
        "DiskFilling",
        "fires when a disk has been read-only for ten minutes, until it can be written again",
        disk(gauge((240, 50)), readonly=gauge((20, 0), (130, 1), (30, 0))),
        # The window in which it was last written ends at minute 80.
        quiet=(20, 21, 150.75),
        firing=(22.25, 60, 90, 149.5),
        labels=FULL,
        kinds=("fires",),
        stretch=6,
    ),
    Case(
        "DiskFilling",
        "fires when a disk was written last four hours ago and is read-only after the machine was away",
        disk(gauge((240, 50)), readonly=gauge((20, 0), (40, None), (60, 1))),
        quiet=(60, 61),
        firing=(62.5, 100, 119),
        labels=FULL,
        stretch=6,
    ),
    Case(
        "DiskFilling",
        "stays quiet when it was written last seven hours ago",
        disk(gauge((240, 50)), readonly=gauge((20, 0), (70, None), (60, 1))),
        quiet=(90, 93, 100, 149),
        labels=FULL,
        stretch=6,
    ),
    Case(
        "DiskFilling",
        "stays quiet about a disk that was always read-only, whatever other alert fires on it",
        {
            **disk(gauge((120, 50)), readonly=gauge((120, 1))),
            **disk(gauge((120, 50)), device="/dev/sdb1"),
            **of(NODE, "ALERTS", gauge((120, 1)), 'alertname="Other",alertstate="firing",mountpoint="/"'),
        },
        quiet=(15, 60, 119),
        labels=FULL,
    ),
    Case(
        "DiskFilling",
        "stays quiet when memory or an image becomes read-only",
        disk(gauge((60, 50)), mount="/run", fstype="tmpfs", readonly=gauge((20, 0), (40, 1)))
        | disk(gauge((60, 50)), mount="/snap", fstype="squashfs", readonly=gauge((20, 0), (40, 1))),
        quiet=(21, 40, 59),
    ),
]

LOOPS = [
    Case(
        "RestartLoop",
        "fires at the fourth restart within half an hour, and resolves when the first is long past",
        restarts(20, 27, 34, 41),
        quiet=(20.5, 34.5, 40.5, 65.5),
        firing=(41.25, 49, 64),
        kinds=("fires",),
    ),
    Case(
        "RestartLoop",
        "stays quiet at three restarts within half an hour",
        restarts(20, 27, 34),
        quiet=(20.5, 27.5, 34.25, 36, 45),
        kinds=("below",),
    ),
    Case(
        "RestartLoop",
        "stays quiet when somebody asks for a restart again and again",
        restarts(*range(20, 50, 4), requested=range(20, 50, 4)),
        quiet=(34.5, 41.25, 48.5, 50, 70),
        kinds=("below",),
    ),
    Case(
        "RestartLoop",
        "fires at the fourth restart without a request, whatever the number of requested ones",
        restarts(20, 22, 27, 30, 34, 41, 43, requested=(22, 30, 43)),
        quiet=(34.5, 40.5, 65.5),
        firing=(41.25, 43.5, 49, 64),
        kinds=("fires",),
    ),
    *(
        Case(
            "RestartLoop",
            f"fires steadily while the server restarts every {every:g} minutes",
            restarts(*(every * number for number in range(1, int(120 / every)))),
            quiet=(4 * every - 0.5,),
            firing=tuple(4 * every + step for step in range(1, 119 - int(4 * every))),
        )
        for every in (2, 5, 7, 9, 9.75)
    ),
]

CASES = [*DISKS, *LOOPS]

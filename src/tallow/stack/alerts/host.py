"""The host: disks, and repeated restarts of the process."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import AnnotationQuery, Rule
from tallow.stack.durations import HOUR, MINUTE

_DISK = '{fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|nsfs|fuse.*"}'
"""Disks that hold data or the log spool; no memory, image or network file systems."""


def _now(metric: str, disks: str = "") -> str:
    """A metric of each disk. It outlives the end of its series by a minute, so that the message can tell."""
    return f"last_over_time({metric}{disks}[$hold])"


_BY = "by (job, instance, mountpoint)"
_SPACE = (
    f"""min {_BY} ({_now("node_filesystem_avail_bytes", _DISK)} / {_now("node_filesystem_size_bytes")})"""
)
_INODES = f"""min {_BY} ({_now("node_filesystem_files_free", _DISK)} / {_now("node_filesystem_files")})"""
_READONLY = _now("node_filesystem_readonly")

DISK_FILLING = Rule(
    name="DiskFilling",
    # A disk that was always read-only is no fault; one that became it is, until it can be written again:
    # after the window, the state of the alert itself continues it.
    expr=f"""
(
  {_SPACE} < $limit
  or
  (
    {_SPACE} < $soon
    and
    min {_BY} (predict_linear(node_filesystem_avail_bytes[$window], $ahead)) < 0
  )
  or
  {_INODES} < $limit
)
and on (job, instance, mountpoint) {_READONLY} == 0
or
max {_BY} (
  {_now("node_filesystem_readonly", _DISK)} == 1
  and min_over_time(node_filesystem_readonly[$writable]) == 0
)
or
(
  max {_BY} ({_READONLY} == 1)
  and on (job, instance, mountpoint) ALERTS{{alertname="DiskFilling",alertstate="firing"}}
)
""",
    for_seconds=10 * MINUTE,
    windows={"window": 1 * HOUR, "writable": 6 * HOUR, "hold": 1 * MINUTE},
    thresholds={"limit": 0.10, "soon": 0.40, "ahead": 4 * HOUR},
    annotation_queries={
        "readonly": AnnotationQuery(
            "max(node_filesystem_readonly{instance=$instance,mountpoint=$mountpoint})", 'printf "%.0f"'
        ),
        "inodes": AnnotationQuery(
            "min(node_filesystem_files_free{instance=$instance,mountpoint=$mountpoint} / "
            "(node_filesystem_files{instance=$instance,mountpoint=$mountpoint} > 0))",
            "humanizePercentage",
        ),
        "free": AnnotationQuery(
            "min(node_filesystem_avail_bytes{instance=$instance,mountpoint=$mountpoint} / "
            "(node_filesystem_size_bytes{instance=$instance,mountpoint=$mountpoint} > 0))",
            "humanizePercentage",
        ),
    },
    startup_grace=0,
    group_labels=("job", "instance", "mountpoint"),
    severity="warning",
    category="monitoring",
    summary="{{ $labels.mountpoint }} on {{ $labels.instance }} fills up or is read-only",
    description="""
$free of the space and $inodes of the inodes of {{ $labels.mountpoint }} are free, read-only: $readonly
(1: yes). It fires below $limit_percent%, below $soon_percent% of the space if it is full within four hours
at the rate of the last $window, and if a disk that could be written in the last $writable is read-only.
Metrics, the database and the log spool stop when they cannot write.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every mount has series: RuleInputMissing reports their absence, and TargetMissing that "
    "node-exporter is not scraped.",
)

RESTART_LOOP = Rule(
    name="RestartLoop",
    # A requested restart (a reload, `up` after `down`) changes both start times.
    expr="""
max by (job, instance) (
  changes(tallow_process_start_time_seconds{job="tallow"}[$window])
  - changes(tallow_process_requested_start_time_seconds{job="tallow"}[$window])
) > $limit
""",
    windows={"window": 30 * MINUTE},
    thresholds={"limit": 3},
    # Without it a server that restarts every nine minutes would end and raise the alert again each time: half
    # an hour contains three of its restarts or four.
    keep_firing_seconds=15 * MINUTE,
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Tallow on {{ $labels.instance }} keeps restarting",
    description="""
{{ $value }} restarts in $window without a request (limit $limit): each one interrupts running transfers, and
each run may be too short for ServiceDown.
""",
    panel=Panel("tallow-overview"),
    on_absent="Exposed from the start: RuleInputMissing reports its absence.",
)

RULES = (DISK_FILLING, RESTART_LOOP)

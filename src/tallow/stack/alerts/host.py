"""The host: disks, and repeated restarts of the process."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import HOUR, MINUTE

_DISK = '{fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|nsfs|fuse.*"}'
"""Disks that hold data or the log spool; no memory, image or network file systems."""

DISK_FILLING = Rule(
    name="DiskFilling",
    expr="""
(
  min by (job, instance, mountpoint) (node_filesystem_avail_bytesDISK / node_filesystem_size_bytes)
  < $limit
  or
  (
    min by (job, instance, mountpoint) (node_filesystem_avail_bytesDISK / node_filesystem_size_bytes)
    < $soon
    and
    min by (job, instance, mountpoint) (predict_linear(node_filesystem_avail_bytes[$window], $ahead)) < 0
  )
)
and on (job, instance, mountpoint) node_filesystem_readonly == 0
""".replace("DISK", _DISK),
    for_seconds=10 * MINUTE,
    windows={"window": 1 * HOUR},
    thresholds={"limit": 0.10, "soon": 0.40, "ahead": 4 * HOUR},
    startup_grace=0,
    group_labels=("job", "instance", "mountpoint"),
    severity="warning",
    category="monitoring",
    summary="{{ $labels.mountpoint }} on {{ $labels.instance }} fills up",
    description="""
{{ $value | humanizePercentage }} of {{ $labels.mountpoint }} is free: less than $limit_percent%, or less than
$soon_percent% and full within four hours at the rate of the last $window. Metrics, the database and the log
spool stop when it is full.
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

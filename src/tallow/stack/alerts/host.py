"""The ground it stands on: disks, and a process that does not stay up."""

from __future__ import annotations

from tallow.stack.alerts.links import Panel
from tallow.stack.alerts.rule import Rule
from tallow.stack.durations import HOUR, MINUTE

_DISK = '{fstype!~"tmpfs|ramfs|squashfs|overlay|iso9660|nsfs|fuse.*"}'
"""Disks that hold data or the log spool: not memory, images and mounts of other machines' files."""

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
{{ $value | humanizePercentage }} of {{ $labels.mountpoint }} are free: less than $limit_percent%, or less
than $soon_percent% and full within four hours at the pace of the last $window. Metrics, the database and the
log spool stop with it.
""",
    panel=Panel("tallow-overview"),
    on_absent="Every mount has series: reported by RuleInputMissing; TargetMissing says that node-exporter "
    "is not scraped.",
)

RESTART_LOOP = Rule(
    name="RestartLoop",
    # A restart on request (a reload, `up` after `down`) changes both.
    expr="""
max by (job, instance) (
  changes(tallow_process_start_time_seconds{job="tallow"}[$window])
  - changes(tallow_process_requested_start_time_seconds{job="tallow"}[$window])
) > $limit
""",
    windows={"window": 30 * MINUTE},
    thresholds={"limit": 3},
    startup_grace=0,
    severity="critical",
    category="monitoring",
    summary="Tallow on {{ $labels.instance }} keeps restarting",
    description="""
{{ $value }} restarts in $window that nobody asked for (limit $limit): each one breaks the transfers under
way, and each may be too short for ServiceDown.
""",
    panel=Panel("tallow-overview"),
    on_absent="The gauge is there from the start: reported by RuleInputMissing.",
)

RULES = (DISK_FILLING, RESTART_LOOP)

"""When the alerts on memory, CPU and durations fire, and when not."""

from __future__ import annotations

import math

from stack.alerts.cases.shared import rate, slow
from support.alert_rules.promtool import Case, counter, gauge, histogram, merged
from tallow.stack.alerts.low_traffic import MIN_SLOW_CONNECTIONS, MIN_SLOW_PQC_OPERATIONS, MIN_SLOW_TRANSFERS

MEMORY = "tallow_process_resident_memory_bytes"
CPU = "tallow_process_cpu_seconds_total"
WORKERS = "tallow_workers"


def durations(edge: float, samples: str, status: str = "success", size: str = "10mb_100mb") -> dict[str, str]:
    """Transfers whose duration is in the bucket up to ``edge``."""
    labels = f'status="{status}",size_category="{size}"'
    return histogram("transfer_duration_seconds", labels, edge, samples)


def operations(edge: float, samples: str, operation: str) -> dict[str, str]:
    return histogram("pqc_duration_seconds", f'operation="{operation}"', edge, samples)


def connections(edge: float, samples: str, path: str) -> dict[str, str]:
    return histogram("connection_establishment_seconds", f'type="{path}"', edge, samples)


MEMORY_AND_CPU = [
    Case(
        "HighMemoryUsage",
        "fires when memory stays above 1.5 GB for five minutes, and resolves when it falls",
        {MEMORY: gauge((20, 1.49e9), (20, 1.51e9), (20, 1.49e9))},
        quiet=(20, 24.5, 40.5),
        firing=(25.5, 39.5),
        kinds=("fires",),
    ),
    Case(
        "HighMemoryUsage",
        "stays quiet when memory is at 1.49 GB",
        {MEMORY: gauge((60, 1.49e9))},
        quiet=(30, 59),
        kinds=("below",),
    ),
    Case(
        "HighMemoryUsage",
        "stays quiet when a peak lasts four minutes",
        {MEMORY: gauge((20, 1e9), (4, 3e9), (20, 1e9))},
        quiet=(21, 24, 26, 40),
    ),
    Case(
        "HighCPUUsage",
        "fires when two workers use more than 80 % of a core each, and resolves when they rest",
        {CPU: counter((20, 6), (20, 98), (20, 6)), WORKERS: gauge((60, 2))},
        quiet=(20, 26.5, 41),
        firing=(27.5, 39.5),
        kinds=("fires",),
    ),
    Case(
        "HighCPUUsage",
        "stays quiet when two workers use just under 80 % of a core each",
        {CPU: counter((60, 95)), WORKERS: gauge((60, 2))},
        quiet=(20, 40, 59),
        kinds=("below",),
    ),
    Case(
        "HighCPUUsage",
        "stays quiet when a worker dies and takes its CPU time out of the sum",
        {
            CPU: f"{counter((30, 60), start=9000)} {counter((30, 30), start=5000)}",
            WORKERS: gauge((30, 2), (30, 1)),
        },
        quiet=(29, 30.5, 32, 34, 35.5, 37, 40),
    ),
    Case(
        "HighCPUUsage",
        "stays quiet while no worker reports",
        {CPU: counter((60, 95)), WORKERS: gauge((60, 0))},
        quiet=(20, 40, 59),
    ),
]

SLOW_ENOUGH = rate(1.06 * MIN_SLOW_TRANSFERS, 10)

SLOW = [
    Case(
        "SlowTransfers",
        "fires when the 95th percentile exceeds a minute for ten minutes, and resolves",
        merged(
            durations(30, counter((90, 17.5 * SLOW_ENOUGH))),
            durations(120, counter((20, 0), (40, SLOW_ENOUGH), (30, 0)), size="1mb_10mb"),
        ),
        quiet=(20, 38, 61),
        firing=(40.5, 59.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "SlowTransfers",
        "stays quiet when fewer than one in twenty takes more than a minute",
        merged(
            durations(30, counter((90, 20 * SLOW_ENOUGH))),
            durations(120, counter((20, 0), (60, SLOW_ENOUGH)), size="under_1mb"),
        ),
        quiet=(30, 45, 79),
        kinds=("below",),
    ),
    Case(
        "SlowTransfers",
        f"stays quiet when fewer than {MIN_SLOW_TRANSFERS} transfers take more than a minute",
        merged(
            durations(300, counter((90, 0.9 * SLOW_ENOUGH))),
            durations(60, counter((90, 3 * SLOW_ENOUGH)), size="under_1mb"),
        ),
        quiet=(30, 45, 79),
        kinds=("few",),
    ),
    Case(
        "SlowTransfers",
        "adds up the sizes",
        merged(
            durations(120, counter((90, SLOW_ENOUGH / 3)), size="under_1mb"),
            durations(120, counter((90, SLOW_ENOUGH / 3)), size="1mb_10mb"),
            durations(120, counter((90, SLOW_ENOUGH / 3))),
        ),
        firing=(31, 79),
    ),
    Case(
        "SlowTransfers",
        "stays quiet when big and failed transfers are slow beside enough slow ones, which are few of all",
        merged(
            durations(30, counter((90, 25 * SLOW_ENOUGH)), size="under_1mb"),
            durations(120, counter((90, SLOW_ENOUGH))),
            durations(600, counter((90, 9 * SLOW_ENOUGH)), size="over_1gb"),
            durations(600, counter((90, 9 * SLOW_ENOUGH)), status="failed"),
        ),
        quiet=(30, 45, 79),
    ),
    Case(
        "SlowTransfers",
        "fires whatever number of big and failed transfers is fast",
        merged(
            durations(120, counter((90, SLOW_ENOUGH))),
            durations(1, counter((90, 9 * SLOW_ENOUGH)), size="over_1gb"),
            durations(1, counter((90, 9 * SLOW_ENOUGH)), status="failed"),
        ),
        firing=(40, 79),
    ),
    Case(
        "SlowTransfers",
        "does not count fast transfers of whatever size",
        merged(
            durations(300, counter((90, 0.9 * SLOW_ENOUGH))),
            durations(60, counter((90, 3 * SLOW_ENOUGH)), size="under_1mb"),
            durations(60, counter((90, 3 * SLOW_ENOUGH)), size="1mb_10mb"),
        ),
        quiet=(30, 45, 79),
    ),
    Case(
        "SlowTransfers",
        "stays quiet when big, failed and cancelled transfers are slow",
        merged(
            durations(1, counter((90, 5 * SLOW_ENOUGH))),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), size="100mb_1gb"),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), size="over_1gb"),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), status="failed"),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), status="cancelled"),
        ),
        quiet=(30, 45, 79),
    ),
    Case(
        "SlowTransfers",
        "does not count big, failed and cancelled transfers as traffic behind the percentile",
        merged(
            durations(120, counter((90, 0.9 * SLOW_ENOUGH))),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), size="over_1gb"),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), status="failed"),
            durations(600, counter((90, 5 * SLOW_ENOUGH)), status="cancelled"),
        ),
        quiet=(30, 45, 79),
    ),
    Case(
        "SlowTransfers",
        "fires when transfers take longer than the last edge",
        durations(math.inf, counter((20, 0), (60, 5 * SLOW_ENOUGH))),
        firing=(35, 79),
    ),
    *slow(
        "SlowPQCOperations",
        operations,
        1,
        5,
        10,
        ("keygen", "encapsulate", "decapsulate"),
        least=MIN_SLOW_PQC_OPERATIONS,
    ),
    *slow("HighConnectionTime", connections, 1, 10, 20, ("direct", "relay"), least=MIN_SLOW_CONNECTIONS),
]

CASES = [*MEMORY_AND_CPU, *SLOW]

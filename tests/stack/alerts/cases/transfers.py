"""When the alerts on transfers fire, and when not."""

from __future__ import annotations

from dataclasses import replace

from stack.alerts.cases.shared import events, mostly_failing_outcomes, outcomes, rate, share
from support.alert_rules.promtool import TWO_HOURS_BEFORE, Case, counter, gauge, histogram, merged
from tallow.stack.alerts.low_traffic import (
    MIN_FAILED_TRANSFERS,
    MIN_FAILED_TRANSFERS_10M,
    MIN_SLOW_SPEEDS,
)

QUEUE = "tallow_transfer_queue_depth"


def transfers(method: str = "p2p", **statuses: str) -> dict[str, str]:
    """Finished transfers of one method by status."""
    return {
        f'tallow_transfers_total{{status="{status}",method="{method}"}}': samples
        for status, samples in statuses.items()
    }


def speeds(edge: float, samples: str, method: str = "p2p") -> dict[str, str]:
    """Transfers whose speed is in the bucket up to ``edge``."""
    return histogram("transfer_speed_mbps", f'method="{method}"', edge, samples)


def sizes(edge: float, samples: str, file_type: str = "image") -> dict[str, str]:
    """Files whose size is in the bucket up to ``edge``."""
    return histogram("file_size_bytes", f'file_type="{file_type}"', edge, samples)


ENOUGH = rate(1.06 * MIN_FAILED_TRANSFERS)
NONE_ENOUGH = rate(1.06 * MIN_FAILED_TRANSFERS_10M, 10)
SLOW_ENOUGH = rate(1.06 * MIN_SLOW_SPEEDS, 10)

FAILING = [
    *share(
        "HighTransferFailureRate",
        lambda samples: transfers(success=samples),
        lambda samples: transfers(failed=samples),
        0.1,
        least=MIN_FAILED_TRANSFERS,
    ),
    *mostly_failing_outcomes("HighTransferFailureRate", "transfer"),
    Case(
        "HighTransferFailureRate",
        "stays quiet when people cancel",
        transfers(success=counter((80, 4)), failed=counter((80, 0)), cancelled=counter((20, 0), (60, 4))),
        quiet=(30, 50, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "counts cancelled transfers neither as working nor as traffic",
        transfers(
            success=counter((80, ENOUGH)), failed=counter((80, 0.9 * ENOUGH)), cancelled=counter((80, 40))
        ),
        quiet=(30, 50, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "counts relayed transfers as well, and cancelled ones not as working",
        {
            **transfers(
                success=counter((80, 2 * ENOUGH)),
                failed=counter((80, 0)),
                cancelled=counter((80, 40 * ENOUGH)),
            ),
            **transfers("relay", success=counter((80, 2 * ENOUGH)), failed=counter((20, 0), (60, ENOUGH))),
        },
        firing=(32, 70),
    ),
    Case(
        "HighTransferFailureRate",
        "adds up the methods",
        {
            **transfers(success=counter((80, 6 * ENOUGH)), failed=counter((80, ENOUGH / 2))),
            **transfers("relay", success=counter((80, 0)), failed=counter((80, ENOUGH / 2))),
        },
        firing=(32, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "counts every transfer that works, by whatever method",
        {
            **transfers(success=counter((80, 7 * ENOUGH)), failed=counter((80, ENOUGH))),
            **transfers("relay", success=counter((80, 7 * ENOUGH)), failed=counter((80, 0))),
        },
        quiet=(32, 79),
    ),
]

NONE_SUCCESSFUL = [
    Case(
        "NoSuccessfulTransfers",
        "fires when transfers fail and none has succeeded for ten minutes",
        transfers(
            success=counter((20, 2), (40, 0), (20, 2)), failed=counter((20, 0), (40, NONE_ENOUGH), (20, 0))
        ),
        quiet=(20, 29.5, 60.5),
        firing=(30.5, 59.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "NoSuccessfulTransfers",
        "fires when somebody has waited throughout ten minutes and nothing succeeded",
        transfers(success=counter((20, 2), (40, 0)), failed=counter((60, 0)))
        | {QUEUE: gauge((20, 0), (20, 1), (20, 0))},
        quiet=(20, 29.5, 40.5),
        firing=(30.5, 39.5),
        kinds=("fires",),
    ),
    Case(
        "NoSuccessfulTransfers",
        "adds up the methods that fail",
        transfers(success=counter((60, 0)), failed=counter((20, 0), (40, 0.55 * NONE_ENOUGH)))
        | transfers("relay", success=counter((60, 0)), failed=counter((20, 0), (40, 0.55 * NONE_ENOUGH))),
        firing=(31, 59),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when the queue was empty for a moment",
        transfers(success=counter((80, 0)), failed=counter((80, 0)))
        | {QUEUE: gauge((20, 0), (9, 1), (0.25, 0), (9, 1), (0.25, 0), (9, 1), (30, 0))},
        quiet=(29, 35, 38, 47, 60),
        kinds=("below",),
    ),
    Case(
        "NoSuccessfulTransfers",
        f"stays quiet when fewer than {MIN_FAILED_TRANSFERS_10M} transfers failed in ten minutes",
        transfers(success=counter((80, 0)), failed=counter((20, 0), (60, 0.9 * NONE_ENOUGH)))
        | {QUEUE: gauge((80, 0))},
        quiet=(25, 31, 45, 79),
        kinds=("few",),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when one transfer in ten minutes succeeds",
        transfers(success=counter((80, 0.15)), failed=counter((80, 4))) | {QUEUE: gauge((80, 5))},
        quiet=(25, 40, 60, 79),
        kinds=("below",),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when people cancel",
        transfers(success=counter((80, 0)), failed=counter((80, 0)), cancelled=counter((80, 4))),
        quiet=(25, 40, 60, 79),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet after a scrape gap until it has seen nearly ten minutes",
        transfers(
            success=counter((20, 2), (20, None), (9, 0), (20, 2)),
            failed=counter((20, 0), (20, None), (9, 4), (20, 0)),
        )
        | {
            QUEUE: gauge((20, 0), (20, None), (9, 3), (20, 0)),
            "up": gauge((20, 1), (20, None), (29, 1)),
            "tallow_process_start_time_seconds": gauge(
                (20, TWO_HOURS_BEFORE), (20, None), (29, TWO_HOURS_BEFORE)
            ),
        },
        quiet=(41, 44, 46, 47.5, 48.5),
    ),
    Case(
        "NoSuccessfulTransfers",
        "fires after a scrape gap when it has seen nearly ten minutes",
        transfers(success=counter((20, 2), (20, None), (20, 0)), failed=counter((20, 0), (20, None), (20, 4)))
        | {
            QUEUE: gauge((20, 0), (20, None), (20, 0)),
            "up": gauge((20, 1), (20, None), (20, 1)),
            "tallow_process_start_time_seconds": gauge(
                (20, TWO_HOURS_BEFORE), (20, None), (20, TWO_HOURS_BEFORE)
            ),
        },
        quiet=(41, 48.5),
        firing=(49.5, 59),
    ),
    Case(
        "NoSuccessfulTransfers",
        "forgives a few lost scrapes",
        transfers(success=counter((60, 0)), failed=counter((20, 0), (40, 4)))
        | {QUEUE: gauge((30, 0), (1.5, None), (30, 0))},
        firing=(39.5, 40.25, 40.5, 41),
    ),
    Case(
        "NoSuccessfulTransfers",
        "takes three minutes without a scrape for a gap",
        transfers(success=counter((60, 0)), failed=counter((20, 0), (40, 4)))
        | {QUEUE: gauge((30, 0), (3, None), (30, 0))},
        quiet=(41.5,),
        firing=(40, 43),
    ),
]

BEFORE_ALL = gauge((120, 5))
"""Successes long ago."""
NONE_IN_SIX_HOURS = [
    Case(
        "NoSuccessfulTransfers",
        "fires when transfers of three prefixes failed in six hours and none succeeded, and resolves",
        transfers(success=BEFORE_ALL, failed=events(15, 25, 35))
        | outcomes("transfer", success=gauge((120, 3)), failed=events(15, 25, 35)),
        quiet=(24, 34.5, 75.5),
        firing=(35.5, 60, 74),
        kinds=("fires", "enough"),
        stretch=6,
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when transfers of two prefixes failed in six hours",
        transfers(success=BEFORE_ALL, failed=events(15, 25))
        | outcomes("transfer", success=events(12, 18), failed=events(15, 25)),
        quiet=(30, 60, 74),
        kinds=("few",),
        stretch=6,
    ),
    Case(
        "NoSuccessfulTransfers",
        "resolves with the first transfer that succeeds",
        merged(
            transfers(success=BEFORE_ALL),
            transfers("relay", success=events(50)),
            outcomes("transfer", success=gauge((120, 3)), failed=events(15, 25, 35)),
        ),
        quiet=(34.5, 50.5, 74),
        firing=(36, 49.5),
        stretch=6,
    ),
]

WAITING = [
    Case(
        "TransferQueueBacklog",
        "fires when more than 100 transfers wait for five minutes, and resolves when they move",
        {QUEUE: gauge((20, 100), (20, 101), (20, 100))},
        quiet=(20, 24.5, 40.5),
        firing=(25.5, 39.5),
        kinds=("fires",),
    ),
    Case(
        "TransferQueueBacklog",
        "stays quiet when exactly 100 wait",
        {QUEUE: gauge((60, 100))},
        quiet=(10, 30, 59),
        kinds=("below",),
    ),
]

SLOW = [
    Case(
        "LowTransferSpeed",
        "fires when the median falls below 1 Mbps, and resolves when it rises",
        merged(
            speeds(5, counter((20, 1.2 * SLOW_ENOUGH), (40, 0.2 * SLOW_ENOUGH), (30, 1.2 * SLOW_ENOUGH))),
            speeds(1, counter((20, 0), (40, SLOW_ENOUGH), (30, 0)), "relay"),
            sizes(262144, counter((90, 1))),
        ),
        quiet=(20, 38, 61.5),
        firing=(40.5, 59.5),
        kinds=("fires", "enough"),
    ),
    Case(
        "LowTransferSpeed",
        "stays quiet when the median is just above 1 Mbps",
        merged(
            speeds(1, counter((90, SLOW_ENOUGH))),
            speeds(2, counter((90, 1.3 * SLOW_ENOUGH)), "relay"),
            sizes(262144, counter((90, 1))),
        ),
        quiet=(30, 45, 79),
        kinds=("below",),
    ),
    Case(
        "LowTransferSpeed",
        f"stays quiet when fewer than {MIN_SLOW_SPEEDS} transfers are slower than 1 Mbps",
        speeds(0.5, counter((90, 0.9 * SLOW_ENOUGH)))
        | speeds(2, counter((90, 0.3 * SLOW_ENOUGH)), "relay")
        | sizes(262144, counter((90, 1))),
        quiet=(30, 45, 79),
        kinds=("few",),
    ),
    Case(
        "LowTransferSpeed",
        "adds up the methods",
        merged(
            speeds(0.5, counter((90, 0.55 * SLOW_ENOUGH))),
            speeds(0.5, counter((90, 0.55 * SLOW_ENOUGH)), "relay"),
        ),
        firing=(30, 79),
    ),
    Case(
        "LowTransferSpeed",
        "asks for the median, not for the slowest or the fastest",
        merged(speeds(1, counter((90, 4))), speeds(100, counter((90, 6)), "relay")),
        quiet=(30, 79),
    ),
    Case(
        "LowTransferSpeed",
        "stays quiet when most files are too small to tell",
        merged(
            speeds(0.5, counter((90, 5))),
            sizes(16384, counter((90, 3))),
            sizes(262144, counter((90, 2)), "text"),
        ),
        quiet=(30, 45, 79),
    ),
    Case(
        "LowTransferSpeed",
        "fires when most files are large enough to tell",
        merged(
            speeds(0.5, counter((90, 5))),
            sizes(16384, counter((90, 2))),
            sizes(262144, counter((90, 3)), "text"),
        ),
        firing=(30, 79),
    ),
    Case(
        "LowTransferSpeed",
        "does not need the sizes of files",
        speeds(0.5, counter((90, 5))),
        firing=(30, 79),
    ),
]

# Every case without queue samples has an empty queue.
CASES = [
    replace(case, series={QUEUE: gauge((180, 0)), **case.series})
    for case in (*FAILING, *NONE_SUCCESSFUL, *NONE_IN_SIX_HOURS, *WAITING, *SLOW)
]

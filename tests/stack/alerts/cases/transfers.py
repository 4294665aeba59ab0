"""When the alerts on transfers fire, and when not."""

from __future__ import annotations

from support.promtool import Case, counter, gauge, histogram

QUEUE = "tallow_transfer_queue_depth"


def transfers(method: str = "p2p", **statuses: str) -> dict[str, str]:
    """Finished transfers of one method by status."""
    return {
        f'tallow_transfers_total{{status="{status}",method="{method}"}}': samples
        for status, samples in statuses.items()
    }


def speeds(edge: float, samples: str) -> dict[str, str]:
    """Transfers whose speed fell into the bucket up to ``edge``."""
    return histogram("transfer_speed_mbps", 'method="p2p"', edge, samples)


def sizes(edge: float, samples: str) -> dict[str, str]:
    """Files whose size fell into the bucket up to ``edge``."""
    return histogram("file_size_bytes", 'file_type="image"', edge, samples)


CASES = [
    Case(
        "HighTransferFailureRate",
        "fires when more than 10 % of transfers fail, and resolves when they work again",
        transfers(success=counter((80, 1.89)), failed=counter((20, 0), (30, 0.231), (30, 0))),
        quiet=(20, 28, 52),
        firing=(30.5, 49),
    ),
    Case(
        "HighTransferFailureRate",
        "stays quiet when just under 10 % fail",
        transfers(success=counter((80, 1.89)), failed=counter((20, 0), (60, 0.2))),
        quiet=(30, 50, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "stays quiet when fewer than 10 transfers stand behind the share",
        transfers(success=counter((80, 1)), failed=counter((20, 0), (60, 0.9))),
        quiet=(30, 50, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "stays quiet when people cancel",
        transfers(success=counter((80, 4)), failed=counter((80, 0)), cancelled=counter((20, 0), (60, 4))),
        quiet=(30, 50, 79),
    ),
    Case(
        "HighTransferFailureRate",
        "counts relayed transfers as well, and cancelled ones not as working",
        {
            **transfers(success=counter((80, 2)), failed=counter((80, 0)), cancelled=counter((80, 40))),
            **transfers("relay", success=counter((80, 2)), failed=counter((20, 0), (60, 1))),
        },
        firing=(32, 70),
    ),
    Case(
        "NoSuccessfulTransfers",
        "fires when transfers fail and none has succeeded for ten minutes",
        transfers(success=counter((20, 2), (40, 0), (20, 2)), failed=counter((20, 0), (40, 0.55), (20, 0))),
        quiet=(20, 29, 60.5),
        firing=(31, 59),
    ),
    Case(
        "NoSuccessfulTransfers",
        "fires when somebody has waited throughout ten minutes and nothing succeeded",
        transfers(success=counter((20, 2), (40, 0)), failed=counter((60, 0)))
        | {QUEUE: gauge((20, 0), (20, 1), (20, 0))},
        quiet=(20, 29, 40.5),
        firing=(31, 39.5),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when the queue was empty for a moment",
        transfers(success=counter((80, 0)), failed=counter((80, 0)))
        | {QUEUE: gauge((20, 0), (9, 1), (0.25, 0), (9, 1), (0.25, 0), (9, 1), (30, 0))},
        quiet=(29, 35, 38, 47, 60),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when fewer than five transfers failed in ten minutes",
        transfers(success=counter((80, 0)), failed=counter((20, 0), (60, 0.45))) | {QUEUE: gauge((80, 0))},
        quiet=(25, 31, 45, 79),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet when one transfer in ten minutes succeeds",
        transfers(success=counter((80, 0.15)), failed=counter((80, 2))) | {QUEUE: gauge((80, 5))},
        quiet=(25, 40, 60, 79),
    ),
    Case(
        "NoSuccessfulTransfers",
        "stays quiet after a scrape gap that hid the ten minutes",
        transfers(
            success=counter((20, 2), (20, None), (9, 0), (20, 2)),
            failed=counter((20, 0), (20, None), (9, 2), (20, 0)),
        )
        | {
            QUEUE: gauge((20, 0), (20, None), (9, 3), (20, 0)),
            "up": gauge((20, 1), (20, None), (29, 1)),
            "tallow_process_start_time_seconds": gauge((20, -7200), (20, None), (29, -7200)),
        },
        quiet=(41, 44, 46, 47.5),
    ),
    Case(
        "TransferQueueBacklog",
        "fires when more than 100 transfers wait for five minutes, and resolves when they move",
        {QUEUE: gauge((20, 100), (20, 101), (20, 100))},
        quiet=(20, 24.5, 40.5),
        firing=(25.5, 39.5),
    ),
    Case(
        "TransferQueueBacklog",
        "stays quiet when exactly 100 wait",
        {QUEUE: gauge((60, 100))},
        quiet=(10, 30, 59),
    ),
    Case(
        "LowTransferSpeed",
        "fires when the median falls below 1 Mbps, and resolves when it rises",
        speeds(1, counter((20, 0), (40, 1.05), (30, 0))) | sizes(262144, counter((90, 1))),
        quiet=(20, 38.5, 72),
        firing=(41, 59),
    ),
    Case(
        "LowTransferSpeed",
        "stays quiet when the median is just above 1 Mbps",
        speeds(2, counter((20, 0), (60, 5))) | sizes(262144, counter((90, 1))),
        quiet=(30, 45, 79),
    ),
    Case(
        "LowTransferSpeed",
        "stays quiet when fewer than ten transfers stand behind the median",
        speeds(0.5, counter((90, 0.95))) | sizes(262144, counter((90, 1))),
        quiet=(30, 45, 79),
    ),
    Case(
        "LowTransferSpeed",
        "stays quiet when most files are too small to tell",
        speeds(0.5, counter((90, 5))) | sizes(65536, counter((90, 5))),
        quiet=(30, 45, 79),
    ),
    Case(
        "LowTransferSpeed",
        "does not need the sizes of files",
        speeds(0.5, counter((90, 5))),
        firing=(30, 79),
    ),
]
# A queue that nobody waits in stands behind every case that does not say otherwise.
CASES = [
    Case(case.alert, case.behaviour, {QUEUE: gauge((180, 0)), **case.series}, case.quiet, case.firing)
    for case in CASES
]

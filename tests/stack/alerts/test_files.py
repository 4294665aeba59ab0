"""The committed rule files and routing files are current."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tallow.stack import alerts, routing

ROOT = Path(__file__).parents[3]
FILES = {**alerts.files(), **routing.files()}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_committed_file_is_current(path: PurePosixPath) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path]


def test_there_are_nineteen_rules_in_seven_groups() -> None:
    assert {name: [rule.name for rule in rules] for name, rules in alerts.CORE.items()} == {
        "tallow_availability": ["ServiceDown", "HighErrorRate", "CriticalErrors"],
        "tallow_performance": [
            "HighMemoryUsage",
            "HighCPUUsage",
            "SlowTransfers",
            "SlowPQCOperations",
            "HighConnectionTime",
        ],
        "tallow_transfers": [
            "HighTransferFailureRate",
            "NoSuccessfulTransfers",
            "TransferQueueBacklog",
            "LowTransferSpeed",
        ],
        "tallow_connections": ["HighConnectionFailureRate", "NoActiveConnections", "HighRelayUsage"],
        "tallow_security": ["HighPQCFailureRate", "UnauthorizedAPIAccess"],
        "tallow_database": ["SlowDatabaseOperations"],
        "tallow_caching": ["LowCacheHitRate"],
    }

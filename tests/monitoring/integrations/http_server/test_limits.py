"""How many connections the descriptor limit allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tallow.monitoring.integrations.http_server import limits
from tallow.monitoring.integrations.http_server.limits import MIN_CONNECTIONS, ConnectionLimits


@pytest.mark.parametrize(
    ("descriptors", "per_connection", "total"),
    [(None, 1, 5000), (100_000, 1, 5000), (1024, 1, 896), (1024, 2, 448), (64, 1, MIN_CONNECTIONS)],
)
def test_the_total_leaves_descriptors_free(
    monkeypatch: pytest.MonkeyPatch, descriptors: int | None, per_connection: int, total: int
) -> None:
    monkeypatch.setattr(limits, "descriptor_limit", lambda: descriptors)
    given = ConnectionLimits(max_connections=5000, descriptors_per_connection=per_connection)
    assert given.total == total


def test_the_soft_descriptor_limit_is_raised_to_the_hard_one() -> None:
    """In a process of its own: the limit of this one stays."""
    code = (
        "import resource\n"
        "from tallow.monitoring.integrations.http_server.limits import raise_descriptor_limit\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))\n"
        "print(raise_descriptor_limit(), resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "200 (200, 200)\n"

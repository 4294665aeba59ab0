"""The minimum of each rule is above what one address prefix may add in the rule's window."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from tallow.app.server.limits.address_quota import WINDOW_S
from tallow.app.server.settings import ServerSettings
from tallow.stack.alerts import low_traffic
from tallow.stack.durations import HOUR, MINUTE

EXTRAPOLATION = 1.06
"""increase() over five minutes, sampled every 15 seconds, is up to 5.3 % more than what was added."""
WINDOWS = {
    "MIN_FAILED_TRANSFERS": 5 * MINUTE,
    "MIN_FAILED_TRANSFERS_10M": 10 * MINUTE,
    "MIN_FAILED_CONNECTIONS": 5 * MINUTE,
    "MIN_FAILED_KEY_EXCHANGES": 5 * MINUTE,
    "MIN_FAILED_PQC_OPERATIONS": 5 * MINUTE,
    "MIN_SLOW_PQC_OPERATIONS": 5 * MINUTE,
    "MIN_SLOW_CONNECTIONS": 5 * MINUTE,
    "MIN_SLOW_TRANSFERS": 10 * MINUTE,
    "MIN_SLOW_SPEEDS": 10 * MINUTE,
    "MIN_BAD_1H": 1 * HOUR,
    "MIN_BAD_6H": 6 * HOUR,
}


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings.load(data_dir=tmp_path)


def most(limit: int, window: float) -> int:
    """What a quota of ``limit`` in ten minutes allows in a window."""
    return limit * ceil(window / WINDOW_S)


@pytest.mark.parametrize("name", WINDOWS)
def test_one_prefix_does_not_reach_the_minimum(settings: ServerSettings, name: str) -> None:
    added = most(settings.failures_per_address, WINDOWS[name])
    assert getattr(low_traffic, name) > EXTRAPOLATION * added


@pytest.mark.parametrize("name", ["MIN_BAD_1H", "MIN_BAD_6H"])
def test_nor_does_it_if_the_server_restarts_once(settings: ServerSettings, name: str) -> None:
    """Guards after a start are shorter than these windows."""
    added = most(settings.failures_per_address, WINDOWS[name]) + settings.failures_per_address
    assert getattr(low_traffic, name) > 1.01 * added


def test_every_minimum_is_checked() -> None:
    minima = {name for name in vars(low_traffic) if name.startswith("MIN_")}
    assert minima - WINDOWS.keys() == {"MIN_RELAYED_TRANSFERS", "MIN_CACHE_MISSES"}


def test_relayed_transfers_of_one_prefix_do_not_reach_their_minimum(settings: ServerSettings) -> None:
    added = most(settings.relayed_per_address, 15 * MINUTE)
    assert added * EXTRAPOLATION < low_traffic.MIN_RELAYED_TRANSFERS


def test_errors_of_one_prefix_do_not_reach_the_rate_of_the_rule(settings: ServerSettings) -> None:
    assert most(settings.errors_per_address, 5 * MINUTE) * EXTRAPOLATION < 0.1 * 5 * MINUTE

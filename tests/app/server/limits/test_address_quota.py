"""One address prefix reports a bounded number of the events that alerts look for."""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path

import pytest

from support.manual_clock import ManualClock
from tallow.app.server.limits.address_quota import WINDOW_S, AddressQuota, bad_events
from tallow.app.server.limits.rate_limit import MAX_KEYS
from tallow.app.server.limits.shared_window import UNITS, SharedWindowLimiter
from tallow.app.server.limits.sliding_window import SlidingWindowLimiter
from tallow.app.server.settings import ServerSettings
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics.sample import Sample
from tallow.stack.thresholds import (
    CONNECTION_TIME_P95_SECONDS,
    MIN_TRANSFER_SPEED_P50_MBPS,
    PQC_DURATION_P95_SECONDS,
    TRANSFER_DURATION_P95_SECONDS,
)

CELL = 7
DAY = 86_400


def counter(name: str, *labels: str, count: float = 1) -> Sample:
    return Sample(METRICS[name], labels, (count,))


def observed(name: str, value: float, *labels: str) -> Sample:
    edges = METRICS[name].buckets
    bucket = sum(edge < value for edge in edges)
    return Sample(METRICS[name], labels, (*(float(n == bucket) for n in range(len(edges) + 1)), value))


FAILED_TRANSFER = counter("transfers_total", "failed", "p2p")
BAD = {
    "failed transfer": FAILED_TRANSFER,
    "failed connection": counter("webrtc_connections_total", "direct", "failed"),
    "failed key exchange": counter("pqc_key_exchanges_total", "x25519_mlkem768", "failed"),
    "failed key operation": counter("pqc_operations_total", "keygen", "failed"),
    "duration of a failed transfer": observed("transfer_duration_seconds", 1, "failed", "under_1mb"),
    "slow transfer": observed("transfer_duration_seconds", 61, "success", "under_1mb"),
    "slow transfer, last bucket": observed("transfer_duration_seconds", 1e5, "success", "under_1mb"),
    "low speed": observed("transfer_speed_mbps", 0.9, "relay"),
    "lowest speed": observed("transfer_speed_mbps", 0, "relay"),
    "slow connection": observed("connection_establishment_seconds", 11, "direct"),
    "slow key operation": observed("pqc_duration_seconds", 6, "keygen"),
}
GOOD = {
    "transfer": counter("transfers_total", "success", "p2p"),
    "cancelled transfer": counter("transfers_total", "cancelled", "p2p"),
    "connection": counter("webrtc_connections_total", "direct", "success"),
    "transfer of a minute": observed("transfer_duration_seconds", 60, "success", "under_1mb"),
    "speed": observed("transfer_speed_mbps", 1.5, "relay"),
    "connection of ten seconds": observed("connection_establishment_seconds", 10, "direct"),
    "key operation": observed("pqc_duration_seconds", 5, "keygen"),
    "failed encryption": counter("encryption_operations_total", "aes_256_gcm", "decrypt", "failed"),
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000.0)  # a monotonic clock counts from the start of the machine


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings.load(data_dir=tmp_path)


@pytest.fixture
def quota(settings: ServerSettings, clock: ManualClock) -> AddressQuota:
    return AddressQuota(settings, clock=clock)


@pytest.mark.parametrize("sample", BAD.values(), ids=BAD.keys())
def test_a_bad_event_is_admitted_up_to_the_quota(
    quota: AddressQuota, settings: ServerSettings, sample: Sample
) -> None:
    assert bad_events(sample) == 1
    admitted = [quota.admit(sample, CELL) for _ in range(50)]
    assert sum(admitted) == settings.failures_per_address
    assert quota.admit(sample, CELL + 1)


@pytest.mark.parametrize("sample", GOOD.values(), ids=GOOD.keys())
def test_a_good_event_is_always_admitted(quota: AddressQuota, sample: Sample) -> None:
    assert bad_events(sample) == 0
    assert all(quota.admit(sample, CELL) for _ in range(1000))


def test_the_limits_for_slow_events_are_those_of_the_rules() -> None:
    limits = {
        "transfer_duration_seconds": TRANSFER_DURATION_P95_SECONDS,
        "connection_establishment_seconds": CONNECTION_TIME_P95_SECONDS,
        "pqc_duration_seconds": PQC_DURATION_P95_SECONDS,
        "transfer_speed_mbps": MIN_TRANSFER_SPEED_P50_MBPS,
    }
    for name, limit in limits.items():
        labels = [(label.values or ("x",))[0] for label in METRICS[name].labels]
        below, above = (observed(name, limit * factor, *labels) for factor in (0.99, 1.01))
        slow = (0, 1) if name != "transfer_speed_mbps" else (1, 0)
        assert (bad_events(below), bad_events(above)) == slow, name


def test_relayed_transfers_and_errors_have_limits_of_their_own(
    quota: AddressQuota, settings: ServerSettings
) -> None:
    relayed = counter("transfers_total", "success", "relay")
    errors = counter("errors_total", "network", "low", count=3)
    assert sum(quota.admit(relayed, CELL) for _ in range(100)) == settings.relayed_per_address
    assert sum(quota.admit(errors, CELL) for _ in range(100)) == settings.errors_per_address // 3


def test_a_client_at_its_maximum_all_day_never_exceeds_the_quota_of_any_window(
    quota: AddressQuota, settings: ServerSettings, clock: ManualClock
) -> None:
    times = []
    chance = random.Random(17)
    while clock.now < DAY:
        if quota.admit(FAILED_TRANSFER, CELL):
            times.append(clock.now)
        clock.now += chance.choice((0.1, 1.0, 1.0, 1.0, 40.0))
    limit = settings.failures_per_address
    assert len(times) > 0.8 * limit * DAY / WINDOW_S
    assert all(last - first >= WINDOW_S for first, last in zip(times, times[limit:], strict=False))


@pytest.mark.parametrize("limit", [12, 30, UNITS + 1])
def test_workers_together_admit_no_more_than_one(tmp_path: Path, clock: ManualClock, limit: int) -> None:
    settings = ServerSettings.load(data_dir=tmp_path, failures_per_address=limit)
    quotas = [AddressQuota(settings, tmp_path / "quotas", clock=clock) for _ in range(4)]
    for _ in range(3):
        admitted = [quota.admit(FAILED_TRANSFER, CELL) for _ in range(50) for quota in quotas]
        in_common = limit <= UNITS
        assert sum(admitted) == (limit if in_common else limit * len(quotas))
        clock.now += WINDOW_S


def test_a_full_disk_admits_nothing_and_ends_no_worker(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = SharedWindowLimiter(tmp_path / "quotas", WINDOW_S, clock)

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")  # what a tmpfs of a few pages does at its own time

    monkeypatch.setattr(os, "pwrite", refuse)
    assert not limiter.take(("transfers_total", CELL), 1, 5)
    monkeypatch.undo()
    assert limiter.take(("transfers_total", CELL), 1, 5)


def test_a_worker_that_is_stopped_with_the_lock_does_not_stop_others(
    tmp_path: Path, clock: ManualClock
) -> None:
    stopped, other = (SharedWindowLimiter(tmp_path / "quotas", WINDOW_S, clock) for _ in range(2))
    fcntl.flock(stopped._file, fcntl.LOCK_EX)
    assert not other.take(("transfers_total", CELL), 1, 5)
    stopped.close()
    assert other.take(("transfers_total", CELL), 1, 5)


def test_the_file_of_the_workers_does_not_grow(tmp_path: Path, clock: ManualClock) -> None:
    limiter = SharedWindowLimiter(tmp_path / "quotas", WINDOW_S, clock)
    size = (tmp_path / "quotas").stat().st_size
    for cell in range(2_000):
        limiter.take(("transfers_total", cell), 1, 5)
    assert (tmp_path / "quotas").stat().st_size == size < 20e6
    assert (tmp_path / "quotas").stat().st_mode & 0o77 == 0


def test_keys_are_forgotten_when_their_window_has_passed_and_when_there_are_too_many(
    clock: ManualClock,
) -> None:
    limiter = SlidingWindowLimiter(WINDOW_S, clock)
    for key in range(MAX_KEYS + 100):
        assert limiter.take(key, 1, 1)
    assert len(limiter) == MAX_KEYS
    assert not limiter.take(MAX_KEYS, 1, 1)
    clock.now += WINDOW_S
    assert limiter.take("another", 1, 1)
    assert len(limiter) == 1


def test_an_amount_that_does_not_fit_is_not_charged(clock: ManualClock) -> None:
    limiter = SlidingWindowLimiter(WINDOW_S, clock)
    assert limiter.take("key", 3, 4)
    assert not limiter.take("key", 2, 4)
    assert limiter.take("key", 1, 4)
    assert not limiter.take("key", 1, 4)

"""Outcomes are counted once per kind, status and address prefix in six hours, whatever happens between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from support.manual_clock import ManualClock
from support.registries import tallow_metrics
from tallow.app.server.rooms.client_outcomes import MAX_KNOWN, WINDOW_S, ClientOutcomes, outcomes_of
from tallow.app.server.storage.outcome_store import OutcomeStore
from tallow.app.server.storage.room_store import SqlStore
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics.sample import Sample

FAILED = [("transfer", "failed")]
START = 1_800_000_000.0


class Process:
    """One process of the server: a worker, an instance, or the next start."""

    def __init__(self, database: str, clock: ManualClock) -> None:
        self.metrics = tallow_metrics()
        self.store = SqlStore(database, self.metrics)
        self.outcomes = ClientOutcomes(self.metrics, OutcomeStore(self.store.engine), clock)

    async def report(self, host: str, *outcomes: tuple[str, str]) -> None:
        await self.outcomes.record(self.outcomes.cell(host), outcomes or FAILED)

    def counted(self, kind: str = "transfer", status: str = "failed") -> float:
        return self.metrics.value("client_outcomes_total", kind=kind, status=status)

    def dropped(self) -> float:
        return self.metrics.value("telemetry_dropped_total", pipeline="client", reason="failed")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def processes(tmp_path: Path, clock: ManualClock) -> AsyncIterator[list[Process]]:
    started = [Process(f"sqlite+aiosqlite:///{tmp_path / 'tallow.db'}", clock) for _ in range(2)]
    for process in started:
        await process.outcomes.open()
    yield started
    for process in started:
        await process.store.close()


async def test_a_prefix_counts_once_per_kind_and_status(processes: list[Process]) -> None:
    process = processes[0]
    for _ in range(50):
        await process.report("192.0.2.1", ("transfer", "failed"), ("transfer", "success"))
        await process.report("192.0.2.1", ("connection", "failed"), ("key_exchange", "failed"))
    assert process.counted() == 1
    assert process.counted(status="success") == 1
    assert process.counted("connection") == 1
    assert process.counted("key_exchange") == 1
    assert process.counted("key_exchange", "success") == 0


async def test_three_prefixes_count_three_times(processes: list[Process]) -> None:
    for host in ("192.0.2.1", "192.0.2.2", "2001:db8:1::1"):
        await processes[0].report(host)
    assert processes[0].counted() == 3


async def test_a_48_of_ipv6_is_one_client(processes: list[Process]) -> None:
    for number in range(256):
        await processes[0].report(f"2001:db8:7:{number:x}::{number:x}")
    assert processes[0].counted() == 1
    await processes[0].report("2001:db8:8::1")
    assert processes[0].counted() == 2


async def test_an_ipv4_address_in_ipv6_form_is_the_ipv4_address(processes: list[Process]) -> None:
    await processes[0].report("192.0.2.1")
    await processes[0].report("::ffff:192.0.2.1")
    assert processes[0].counted() == 1


async def test_it_counts_again_after_six_hours(processes: list[Process], clock: ManualClock) -> None:
    process = processes[0]
    await process.report("192.0.2.1")
    clock.now += WINDOW_S - 1
    await process.report("192.0.2.1")
    assert process.counted() == 1
    clock.now += 1
    await process.report("192.0.2.1")
    assert process.counted() == 2


async def test_a_client_that_retries_all_day_counts_at_most_once_in_any_six_hours(
    processes: list[Process], clock: ManualClock
) -> None:
    process, times = processes[0], []
    for _ in range(24 * 60):
        before = process.counted()
        await process.report("192.0.2.1")
        if process.counted() > before:
            times.append(clock.now)
        clock.now += 60
    assert [second - first for first, second in pairwise(times)] == [WINDOW_S] * 3


async def test_processes_that_share_a_database_count_a_prefix_once(
    processes: list[Process], clock: ManualClock
) -> None:
    first, second = processes
    for _ in range(3):
        await first.report("192.0.2.1")
        await second.report("192.0.2.1")
    assert first.counted() + second.counted() == 1
    clock.now += WINDOW_S + 60
    await second.report("192.0.2.1")
    await first.report("192.0.2.1")
    assert first.counted() + second.counted() == 2


async def test_restarts_do_not_let_a_prefix_count_again(tmp_path: Path, clock: ManualClock) -> None:
    counted = 0.0
    for _ in range(5):
        process = Process(f"sqlite+aiosqlite:///{tmp_path / 'tallow.db'}", clock)
        await process.outcomes.open()
        await process.report("192.0.2.1")
        counted += process.counted()
        await process.store.close()
        clock.now += 540
    assert counted == 1


async def test_a_clock_that_was_years_ahead_does_not_silence_a_prefix(
    processes: list[Process], clock: ManualClock
) -> None:
    clock.now += 10 * 365 * 86_400
    await processes[0].report("192.0.2.1")
    clock.now = START
    await processes[0].report("192.0.2.1")
    assert processes[0].counted() == 2


async def test_a_clock_that_steps_back_does_not_count_twice(
    processes: list[Process], clock: ManualClock
) -> None:
    await processes[0].report("192.0.2.1")
    clock.now -= 3600
    for process in processes:
        await process.report("192.0.2.1")
    assert sum(process.counted() for process in processes) == 1


async def test_a_failing_database_counts_nothing_but_the_drop(processes: list[Process]) -> None:
    process = processes[0]
    async with process.store.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE client_outcomes")
    await process.report("192.0.2.1", ("transfer", "failed"), ("connection", "failed"))
    assert (process.counted(), process.dropped()) == (0, 2)


@pytest.mark.slow
async def test_a_flood_of_prefixes_takes_bounded_memory_and_hides_nobody(processes: list[Process]) -> None:
    process = processes[0]
    process.outcomes._known.update({("transfer", "success", -n): START for n in range(1, MAX_KNOWN)})
    for number in range(300):
        await process.report(f"198.51.{number // 256}.{number % 256}")
    assert len(process.outcomes._known) == MAX_KNOWN
    counted = process.counted()
    assert counted >= 297  # cells may collide: three times more is improbable (1 in 10^5)
    for number in range(300):
        await process.report(f"198.51.{number // 256}.{number % 256}")
    assert process.counted() == counted


async def test_the_database_holds_no_address(processes: list[Process]) -> None:
    await processes[0].report("192.0.2.1")
    async with processes[0].store.engine.begin() as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM client_outcomes")).all()
    assert [(row.kind, row.status, row.counted) for row in rows] == [("transfer", "failed", START)]
    assert 0 <= rows[0].cell < 65_536


async def test_a_sweep_deletes_what_is_older_than_the_window(
    processes: list[Process], clock: ManualClock
) -> None:
    await processes[0].report("192.0.2.1")
    clock.now += WINDOW_S + 1
    await processes[0].report("192.0.2.2")
    await processes[0].outcomes.sweep()
    async with processes[0].store.engine.begin() as connection:
        rows = (await connection.exec_driver_sql("SELECT counted FROM client_outcomes")).all()
    assert [row.counted for row in rows] == [clock.now]


def test_outcomes_of_a_report_are_each_listed_once() -> None:
    def sample(name: str, *labels: str, count: float = 1.0) -> Sample:
        return Sample(METRICS[name], labels, (count,))

    samples = [
        sample("transfers_total", "cancelled", "p2p"),
        sample("webrtc_connections_total", "direct", "failed"),
        sample("webrtc_connections_total", "relay", "failed"),
        sample("webrtc_connections_total", "relay", "success", count=0.0),
        sample("pqc_key_exchanges_total", "x25519_mlkem768", "success", count=3.0),
        sample("pqc_operations_total", "keygen", "failed"),
    ]
    assert outcomes_of(samples) == [("connection", "failed"), ("key_exchange", "success")]

"""Plans of demo transfers: first each scenario, then random ones by their shares."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice

import pytest

from tallow.app.demo.plan import (
    BAD,
    CANCELLED,
    MIN_INTERRUPTIBLE_BYTES,
    RELAYED,
    TrafficMix,
    TransferPlan,
    draw_plans,
)

SETTINGS = ("theme", "telemetry")


def drawn(shares: TrafficMix, number: int = 4000) -> list[TransferPlan]:
    return list(islice(draw_plans(shares, SETTINGS, random.Random(7)), number))


def share(found: list[TransferPlan], of: Callable[[TransferPlan], bool]) -> float:
    return sum(map(of, found)) / len(found)


def test_the_first_plans_cover_each_scenario() -> None:
    kinds = [plan.scenario for plan in drawn(TrafficMix(), 12)]
    assert set(kinds) == {"plain", "signaling_lost", "several_receivers", *RELAYED, *CANCELLED, *BAD}
    assert {plan.relay for plan in drawn(TrafficMix(), 12) if plan.scenario == "plain"} == {True, False}


def test_shares_are_kept() -> None:
    found = drawn(TrafficMix(relay=0.3, cancel=0.2, bad=0.1))[12:]
    assert share(found, lambda plan: plan.relay) == pytest.approx(0.3, abs=0.03)
    assert share(found, lambda plan: plan.scenario in CANCELLED) == pytest.approx(0.2, abs=0.03)
    assert share(found, lambda plan: plan.scenario in BAD) == pytest.approx(0.1, abs=0.03)


def test_a_share_of_zero_excludes_its_scenarios() -> None:
    found = drawn(TrafficMix(relay=0, cancel=0, bad=0))
    assert {plan.scenario for plan in found} == {"plain", "signaling_lost"}
    assert not any(plan.relay for plan in found)


def test_a_share_of_one_includes_all() -> None:
    assert all(plan.relay for plan in drawn(TrafficMix(relay=1))[12:])
    assert all(plan.scenario in CANCELLED for plan in drawn(TrafficMix(cancel=1))[12:])


def test_relay_scenarios_use_the_relay() -> None:
    assert all(plan.relay for plan in drawn(TrafficMix()) if plan.scenario in RELAYED)


def test_sizes_range_up_to_the_largest() -> None:
    sizes = [plan.size for plan in drawn(TrafficMix(size=50_000_000)) if plan.scenario == "plain"]
    assert 1_000_000 <= min(sizes) < 2_000_000
    assert 40_000_000 < max(sizes) <= 50_000_000


def test_sizes_start_at_the_smallest() -> None:
    sizes = [plan.size for plan in drawn(TrafficMix(size=5000, smallest=4000)) if plan.scenario == "plain"]
    assert 4000 <= min(sizes) < 4200
    assert 4800 < max(sizes) <= 5000


def test_interrupted_transfers_are_large_enough() -> None:
    found = [
        plan for plan in drawn(TrafficMix(size=1000)) if plan.scenario in {"interrupted", "source_changes"}
    ]
    assert all(plan.size == MIN_INTERRUPTIBLE_BYTES for plan in found)


def test_each_scenario_has_an_expected_outcome() -> None:
    meant = {plan.scenario: plan.expected_outcome for plan in drawn(TrafficMix())}
    assert meant == {
        "plain": "success",
        "signaling_lost": "success",
        "interrupted": "success",
        "fallback": "success",
        "wrong_link": "success",
        "sender_cancels": "cancelled",
        "receiver_cancels": "cancelled",
        "no_path": "failed",
        "source_changes": "failed",
        "broken_picture": "refused",
        "several_receivers": "success",
    }


def test_a_broken_picture_is_never_sent_with_its_metadata() -> None:
    broken = [plan for plan in drawn(TrafficMix(bad=1)) if plan.scenario == "broken_picture"]
    assert len(broken) > 50
    assert not any(plan.keep_metadata for plan in broken)

"""Runs all drills three times, each run in under a quarter of an hour, and records their latencies."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from support.programs.debian import program
from tallow.stack import alerts
from tallow.stack.drill.catalog import DRILLS
from tallow.stack.drill.report import docs
from tallow.stack.drill.report.table import result_line
from tallow.stack.drill.run.hung_server import DRILLS as HUNG_SERVER
from tallow.stack.drill.run.suite import DrillSuite

pytestmark = [pytest.mark.proof, pytest.mark.integration]

QUARTER_OF_AN_HOUR_S = 900


@pytest.mark.parametrize("run", [1, 2, 3])
async def test_every_alert_notifies_its_receivers(run: int, tmp_path: Path) -> None:
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips the test if it is not available
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    started = time.monotonic()
    session = DrillSuite(list(DRILLS.values()), tmp_path, hung_server_drills=list(HUNG_SERVER.values()))
    results = await session.run()
    took = time.monotonic() - started
    ordered = [results[name] for name in (*alerts.RULES, *HUNG_SERVER)]
    print(f"\nrun {run}: {took:.0f} s", *(result_line(result) for result in ordered), sep="\n  ")
    assert [(result.alert, result.problems) for result in ordered if result.problems] == []
    assert took < QUARTER_OF_AN_HOUR_S
    docs.write_section("latencies", docs.latency_table(ordered))

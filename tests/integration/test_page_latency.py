"""The time from a killed Tallow to the e-mail with the shipped configuration, unscaled."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from support.stack import stack, wait_until
from tallow.stack import alerts
from tallow.stack.drill.report import docs
from tallow.stack.drill.verify import expected_routing
from tallow.stack.engines.services.control import hold
from tallow.stack.prometheus import SCRAPE_INTERVAL_S

pytestmark = [pytest.mark.proof, pytest.mark.integration]

PATIENCE_S = 300.0


def test_the_email_is_sent_as_soon_as_the_settings_allow(tmp_path: Path) -> None:
    rule = alerts.RULES["ServiceDown"]
    # A scrape fails within one interval; the rule is evaluated within another, and again at the end of `for`.
    least = rule.for_seconds + expected_routing.group_wait(rule)
    most = least + 3 * SCRAPE_INTERVAL_S
    with stack(tmp_path) as running:
        wait_until(lambda: running.value('up{job="tallow"}') == 1, "Prometheus sees Tallow")
        killed = time.monotonic()
        running.process("tallow").send_signal(signal.SIGKILL)
        hold(running.state_dir, ["tallow"])
        wait_until(lambda: running.mail("[CRITICAL]"), "the e-mail", PATIENCE_S)
        took = time.monotonic() - killed
        result = (
            f"Killed, and the e-mail was there after **{took:.1f} s**: `for` {rule.for_seconds} s and group "
            f"wait {expected_routing.group_wait(rule):g} s make {least:g} s, and scrape and evaluation, "
            f"every {SCRAPE_INTERVAL_S} s each, add up to {most - least:g} s more."
        )
        print(f"\n{result}")
    assert took >= least
    assert took < most + 10, "the pipeline itself takes longer than a few seconds"
    docs.write_section("page", result)

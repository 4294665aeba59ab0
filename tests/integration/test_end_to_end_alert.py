"""The alerting path end to end: Tallow is killed, and e-mails report the failure and its end."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.stack import expect_value, stack, wait_until
from tallow.stack.engines.services.control import hold

pytestmark = pytest.mark.integration

SCALE = 1 / 30
"""ServiceDown waits 2 s instead of a minute; the group interval is 10 s instead of five minutes."""


def test_messages_are_sent_when_tallow_is_killed_and_when_it_is_back(tmp_path: Path) -> None:
    with stack(tmp_path, SCALE) as running:
        wait_until(lambda: running.value('up{job="tallow"}') == 1, "Prometheus sees Tallow")
        # Prometheus may have waited for Tallow's first scrape longer than the scaled minute.
        early = len(running.mail("[CRITICAL]"))
        wait_until(lambda: len(running.mail("[RESOLVED]")) == early, "earlier alerts are resolved")
        running.process("tallow").send_signal(signal.SIGKILL)
        hold(running.state_dir, ["tallow"])
        [page] = wait_until(lambda: running.mail("[CRITICAL]")[early:], "the alert e-mail")
        assert "does not answer" in page.subject
        assert f"127.0.0.1:{running.port('tallow')}" in page.text
        assert "/runbooks/ServiceDown" in page.text
        running.start()
        assert wait_until(lambda: running.mail("[RESOLVED]")[early:], "the message that it is resolved")
        expect_value(lambda: running.value('up{job="tallow"}'), 1)
    assert running.processes() == []

"""The main road: Tallow dies, Prometheus sees it, Alertmanager tells somebody; and the way back."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.stack import stack, wait_until
from tallow.stack.engines.services.control import hold

pytestmark = pytest.mark.integration

SCALE = 1 / 20
"""ServiceDown waits 3 s instead of a minute, Alertmanager 15 s instead of five minutes between messages."""


def test_a_page_comes_when_tallow_is_killed_and_another_when_it_is_back(tmp_path: Path) -> None:
    with stack(tmp_path, SCALE) as running:
        wait_until(lambda: running.value('up{job="tallow"}') == 1, "Prometheus sees Tallow")
        # Prometheus may have waited for Tallow's first scrape longer than this short minute.
        early = len(running.mail("[CRITICAL]"))
        wait_until(lambda: len(running.mail("[RESOLVED]")) == early, "quiet")
        running.process("tallow").send_signal(signal.SIGKILL)
        hold(running.state_dir, ["tallow"])
        [page] = wait_until(lambda: running.mail("[CRITICAL]")[early:], "the page")
        assert "does not answer" in page.subject
        assert f"127.0.0.1:{running.port('tallow')}" in page.text
        assert "/runbooks/ServiceDown" in page.text
        running.start()
        assert wait_until(lambda: running.mail("[RESOLVED]")[early:], "word that it is over")
        assert running.value('up{job="tallow"}') == 1
    assert running.processes() == []

"""A user's ``conftest.py`` imports the fixtures, in a separate test run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFTEST = "from tallow.monitoring.testing.fixtures import collector, logs, metrics, plausible, sentry\n"
TEST = """
from tallow.monitoring.logging import logger
from tallow.monitoring.testing import assert_nothing_private, samples

def test_all(logs, metrics, collector, plausible, sentry):
    logger.info("Hello", contact="alice@example.org")
    assert logs.last["contact"] == "[email]"
    assert_nothing_private(logs.text)
    metrics.record_error("network", "low")
    assert samples(metrics, "errors_total")['app_errors_total{type="network",severity="low"}'] == 1
    assert len({collector.url, plausible.url, sentry.url}) == 3

def test_each_has_its_own(logs):
    assert logs.records == []
"""


def test_a_conftest_can_import_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_mine.py").write_text(TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout

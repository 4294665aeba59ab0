"""Queued telemetry is sent before a process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tallow.monitoring.lifecycle import shutdown
from tallow.monitoring.testing import log_endpoint, plausible_endpoint, sentry_endpoint

APPLICATION = """
from contextlib import asynccontextmanager
import sentry_sdk
from starlette.applications import Starlette
from tallow.monitoring import instrument
from tallow.monitoring.analytics import analytics
from tallow.monitoring.logging import logger
from tallow.monitoring.sentry import init_monitoring

@asynccontextmanager
async def lifespan(app):
    init_monitoring()
    print("ready", flush=True)
    yield
    logger.info("Last record")
    analytics.goal("closed")
    sentry_sdk.capture_message("closed")

app = instrument(Starlette(lifespan=lifespan))
"""


@pytest.mark.slow
def test_queued_telemetry_is_sent_when_a_server_ends_by_sigterm(tmp_path: Path) -> None:
    """uvicorn stops on SIGTERM and then sends it to itself, so that atexit functions do not run."""
    (tmp_path / "shop.py").write_text(APPLICATION)
    with log_endpoint() as logs, plausible_endpoint() as plausible, sentry_endpoint() as sentry:
        environment = {
            "LOG_ENDPOINT": logs.url,
            "PLAUSIBLE_HOST": plausible.url,
            "PLAUSIBLE_DOMAIN": "example.org",
            "SENTRY_DSN": sentry.dsn,
        }
        command = [sys.executable, "-m", "uvicorn", "shop:app", "--port", "0"]
        with subprocess.Popen(
            command, cwd=tmp_path, env=os.environ | environment, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout
            assert any("startup complete" in line for line in server.stdout)
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)
        assert server.returncode == -signal.SIGTERM
        assert "Last record" in logs.messages
        assert plausible.names == ["closed"]
        assert [event["message"] for event in sentry.payloads("event")] == ["closed"]


def test_pipelines_share_the_timeout_and_logs_come_last() -> None:
    pipelines = shutdown.Pipelines()
    calls: list[tuple[str, float]] = []

    def broken(_timeout: float) -> None:
        raise RuntimeError

    def slow(timeout: float) -> None:
        calls.append(("slow", timeout))
        time.sleep(0.05)

    pipelines.register("logs", lambda timeout: calls.append(("logs", timeout)))
    pipelines.register("broken", broken)
    pipelines.register("slow", slow, lambda timeout: calls.append(("closed", timeout)))
    pipelines.flush_all(1)
    pipelines.close_all(0)
    assert [name for name, _ in calls] == ["slow", "logs", "closed", "logs"]
    assert calls[1][1] <= 0.95
    assert calls[2][1] == 0


def test_pipelines_are_closed_when_the_interpreter_exits() -> None:
    code = (
        "from tallow.monitoring.lifecycle import shutdown\n"
        "shutdown.register_pipeline('logs', print, lambda timeout: print('closed', timeout > 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "closed True\n"


def test_a_sigterm_handler_of_the_application_is_kept() -> None:
    def handler(_number: int, _frame: object) -> None:
        """The application's handler."""

    before = signal.signal(signal.SIGTERM, handler)
    try:
        shutdown.Pipelines().register("logs", lambda _timeout: None)
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_importing_installs_no_signal_handler() -> None:
    code = "import tallow.monitoring.logging, signal; print(signal.getsignal(15) is signal.SIG_DFL)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "True"

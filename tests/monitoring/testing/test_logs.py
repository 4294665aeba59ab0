"""Capturing the process's loggers: other sinks receive nothing, and afterwards all is as before."""

from __future__ import annotations

import logging

import pytest

from tallow.monitoring.logging import configure, logger, transfer_logger
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import CapturedLogs, MemorySink, captured_logs


def test_the_process_s_loggers_are_captured_scrubbed() -> None:
    with captured_logs() as logs:
        transfer_logger.bind(transfer_id=7).info("Transfer started", contact="alice@example.org")
        logger.debug("Details")
    assert logs.messages == ["Transfer started", "Details"]
    assert logs.records[0]["contact"] == "[email]"
    assert [record["transfer_id"] for record in logs.from_loggers("transfer")] == [7]


def test_standard_library_records_are_captured_once() -> None:
    with captured_logs() as logs:
        logging.getLogger("shop").warning("Sold to %s", "alice@example.org")
    assert logs.messages == ["Sold to [email]"]
    with captured_logs(standard_library=False) as logs:
        logging.getLogger("shop").warning("Sold")
    assert logs.messages == []


def test_after_the_block_records_reach_the_previous_sinks() -> None:
    sink = MemorySink()
    configure(MonitoringSettings.load(), sinks=[sink])
    try:
        logger.info("before")
        with captured_logs("warning") as logs:
            logger.info("inside, below the level")
            logger.warning("inside")
            logging.getLogger("shop").warning("inside too")
        logger.info("after")
        logging.getLogger("shop").warning("after too")
    finally:
        configure(MonitoringSettings.load())
    assert logs.messages == ["inside", "inside too"]
    assert [line.count(b'"inside') for line in sink.lines] == [0, 0, 0]


def test_without_a_record_last_raises_an_error() -> None:
    logs = CapturedLogs()
    with pytest.raises(AssertionError, match="nothing was logged"):
        logs.last  # noqa: B018
    logs.close()

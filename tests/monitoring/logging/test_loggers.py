"""Loggers: the fields of a record, context, levels, errors, and that no call raises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.privacy.canary import CANARY
from tallow.monitoring import correlation, logging
from tallow.monitoring.logging import scrubbing
from tallow.monitoring.logging.record import MAX_LINE_BYTES
from tallow.monitoring.testing import CapturedLogs

MESSAGE = f"Message {CANARY}"


@pytest.fixture
def logs() -> Iterator[CapturedLogs]:
    logs = CapturedLogs()
    yield logs
    logs.pipeline.writer.close()


def test_a_record_begins_with_the_standard_fields_in_order(logs: CapturedLogs) -> None:
    with correlation.bind("ab" * 16):
        logs.logger.info("Transfer started", file_size=12, method="p2p")
    record = logs.last
    assert list(record) == [
        "timestamp",
        "level",
        "logger",
        "message",
        "service",
        "environment",
        "version",
        "correlation_id",
        "file_size",
        "method",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    del record["timestamp"]
    assert record == {
        "level": "info",
        "logger": "test",
        "message": "Transfer started",
        "service": "tallow",
        "environment": "test",
        "version": "1.2.3",
        "correlation_id": "ab" * 16,
        "file_size": 12,
        "method": "p2p",
    }


def test_outside_a_request_there_is_no_correlation_id(logs: CapturedLogs) -> None:
    logs.logger.info("Started")
    assert "correlation_id" not in logs.last


def test_bound_context_is_in_every_record_and_the_first_logger_is_unchanged(logs: CapturedLogs) -> None:
    bound = logs.logger.bind(method="relay").bind(attempt=2)
    bound.info("one")
    bound.unbind("attempt").info("two")
    logs.logger.info("three")
    assert [(r.get("method"), r.get("attempt")) for r in logs.records] == [
        ("relay", 2),
        ("relay", None),
        (None, None),
    ]


def test_the_context_of_a_call_replaces_bound_context(logs: CapturedLogs) -> None:
    logs.logger.bind(attempt=1).info("again", attempt=2)
    assert logs.last["attempt"] == 2


def test_bound_context_is_a_copy(logs: CapturedLogs) -> None:
    sizes = [1]
    bound = logs.logger.bind(sizes=sizes)
    sizes.append(2)
    bound.info("measured")
    assert logs.last["sizes"] == [1]


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("debug", "debug"),
        ("info", "info"),
        ("warn", "warning"),
        ("warning", "warning"),
        ("error", "error"),
        ("critical", "fatal"),
        ("fatal", "fatal"),
    ],
)
def test_levels_have_standard_names_and_are_counted(logs: CapturedLogs, method: str, level: str) -> None:
    getattr(logs.logger, method)("Something")
    logs.logger.log(method, "Something")
    assert [record["level"] for record in logs.records] == [level, level]
    assert logs.metrics.registry.value("log_records_total", level=level) == 2


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "fatal"])
def test_records_below_the_level_are_not_written(level: str) -> None:
    logs = CapturedLogs(level)
    for name in ("debug", "info", "warning", "error", "fatal"):
        logs.logger.log(name, name)
    names = ["debug", "info", "warning", "error", "fatal"]
    assert [record["level"] for record in logs.records] == names[names.index(level) :]


@pytest.mark.parametrize("name", ["level", "message", "timestamp", "logger", "service"])
def test_context_cannot_replace_a_standard_field(logs: CapturedLogs, name: str) -> None:
    logs.logger.bind(**{name: "forged"}).info("Real")
    logs.logger.info("Real", **{name: "forged"})
    for record in logs.records:
        assert record[f"context_{name}"] == "forged"
        assert record["message"] == "Real"


def test_a_correlation_id_is_accepted_as_context_but_no_free_text(logs: CapturedLogs) -> None:
    logs.logger.info("Known", correlation_id="0af76519-16cd-43dd-8448-eb211c80319c")
    assert logs.last["correlation_id"] == "0af7651916cd43dd8448eb211c80319c"
    logs.logger.info("Unknown", correlation_id="whatever they like")
    assert "correlation_id" not in logs.last


def test_an_exception_has_type_message_and_stack_without_local_variables(logs: CapturedLogs) -> None:
    def inner() -> None:
        hidden = "the-local-value"
        raise ValueError(f"no room for {len(hidden)}")

    try:
        try:
            inner()
        except ValueError as error:
            raise RuntimeError("it failed") from error
    except RuntimeError as error:
        logs.logger.warning("Failed", exc_info=error)
    written = logs.last["error"]
    assert (written["type"], written["message"]) == ("RuntimeError", "it failed")
    lines = written["stack"].splitlines()
    assert re.fullmatch(r"  [\w/.]*test_loggers\.py:\d+ in test_an_exception_has.*", lines[0])
    assert lines[1] == "from ValueError: no room for 15"
    assert lines[-1].endswith(" in inner")
    assert "the-local-value" not in str(logs.last)


@pytest.mark.parametrize("exc_info", [True, "tuple", "error"])
def test_exc_info_has_the_meaning_of_the_standard_library(logs: CapturedLogs, exc_info: Any) -> None:
    try:
        raise KeyError("gone")
    except KeyError as error:
        forms = {"tuple": (KeyError, error, error.__traceback__), "error": error}
        logs.logger.warning("Gone", exc_info=forms.get(exc_info, True))
    assert logs.last["error"]["type"] == "KeyError"


def test_exception_logs_the_exception_being_handled(logs: CapturedLogs) -> None:
    try:
        raise OSError("disk")
    except OSError:
        logs.logger.exception("Failed")
    assert (logs.last["level"], logs.last["error"]["type"]) == ("error", "OSError")


def test_without_a_current_exception_there_is_no_error_field(logs: CapturedLogs) -> None:
    logs.logger.error("Failed", exc_info=True)  # noqa: LOG014 - the behaviour under test
    assert "error" not in logs.last


def test_a_group_lists_its_members_and_a_deep_stack_is_cut_in_the_middle(logs: CapturedLogs) -> None:
    def deep(left: int) -> None:
        if not left:
            raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])
        deep(left - 1)

    try:
        deep(200)
    except ExceptionGroup:
        logs.logger.exception("Failed")
    stack = logs.last["error"]["stack"]
    assert "with ValueError: one" in stack
    assert "with TypeError: two" in stack
    assert " more)" in stack
    assert len(stack.splitlines()) < 60


class Hostile:
    """Raises from every special method."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


CYCLE: dict[str, Any] = {}
CYCLE["self"] = CYCLE


@pytest.mark.parametrize(
    "value",
    [
        Hostile(),
        object(),
        10**400,
        float("nan"),
        float("inf"),
        "\ud800",
        b"\xff\x00",
        CYCLE,
        {1: {2: 3}},
        {("a", 1): 2},
        {1, 2},
        [[[[["deep"]]]]],
        Hostile,
        "x" * 1_000_000,
        "\x00\n\x1b[31m",
        memoryview(b"abc"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_makes_one_line_of_json(logs: CapturedLogs, value: Any) -> None:
    logs.logger.info("Odd", value=value, beside="kept")
    assert logs.last["beside"] == "kept"
    assert logs.lines[-1].count(b"\n") == 1
    assert len(logs.lines[-1]) <= MAX_LINE_BYTES


def test_an_exception_with_an_unreadable_message_is_logged(logs: CapturedLogs) -> None:
    logs.logger.error("Failed", exc_info=HostileError())
    assert logs.last["error"]["message"] == "(unreadable message)"


def test_a_message_that_is_no_string_is_written_as_text(logs: CapturedLogs) -> None:
    logs.logger.info(404)  # type: ignore[arg-type]
    logs.logger.info(Hostile())  # type: ignore[arg-type]
    logs.logger.info([1, 2])  # type: ignore[arg-type]
    assert [record["message"] for record in logs.records] == ["404", "[Hostile]", "[1, 2]"]


def test_a_line_that_is_too_long_loses_its_largest_fields(logs: CapturedLogs) -> None:
    many = {f"field_{number}": [number] * 10_000 for number in range(5)}
    logs.logger.info("Large", small=1, **many)
    assert len(logs.lines[-1]) <= MAX_LINE_BYTES
    assert logs.last["truncated"] is True
    assert (logs.last["message"], logs.last["small"]) == ("Large", 1)


def test_a_failure_of_the_library_is_raised_under_pytest_and_counted_otherwise(
    logs: CapturedLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(line: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(logs.writer, "put", broken)
    with pytest.raises(ZeroDivisionError):
        logs.logger.info("Hello")
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    logs.logger.info("Hello")
    assert logs.metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason="failed") == 1


def test_the_domain_loggers_exist() -> None:
    for name in ("transfer", "crypto", "connection", "api", "security"):
        assert isinstance(getattr(logging, f"{name}_logger"), logging.Logger)


def test_everything_that_a_caller_passes_is_scrubbed(logs: CapturedLogs) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        logs.logger.bind(bound=CANARY).info(MESSAGE, value=[{"deep": CANARY}], exc_info=error)
    assert CANARY not in str(logs.last)
    assert logs.last["message"].startswith("Message ")


def test_values_that_cannot_be_scrubbed_are_dropped_and_counted(
    logs: CapturedLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(value: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(scrubbing, "scrub", fails)
    logs.logger.info(MESSAGE, value=CANARY)
    assert CANARY not in str(logs.last)
    assert (logs.last["message"], logs.last["logger"]) == ("[dropped]", "[dropped]")
    assert logs.metrics.registry.value("telemetry_dropped_total", pipeline="logs", reason="failed") == 3

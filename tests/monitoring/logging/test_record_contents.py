"""What belongs to a record is in it, scrubbed: notes, group members, stacks, arguments, exceptions."""

from __future__ import annotations

import io
import logging as standard
import sys
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from support.privacy.canary import CANARY
from tallow.monitoring.logging import Logger, exempt, stdlib
from tallow.monitoring.logging.adapters.loguru import PipelineSink, scrub_record
from tallow.monitoring.logging.adapters.structlog import PipelineProcessor, scrub_event
from tallow.monitoring.logging.exceptions import MAX_EXCEPTIONS, MAX_STACK, describe
from tallow.monitoring.testing import CapturedLogs


class Unreadable:
    """An argument whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.fixture
def logs() -> Iterator[CapturedLogs]:
    root = standard.getLogger()
    level = root.level
    logs = CapturedLogs("debug")
    stdlib.release()
    stdlib.capture(logs.pipeline, warnings=True)
    yield logs
    stdlib.release()
    root.setLevel(level)


@pytest.fixture
def log(logs: CapturedLogs) -> Logger:
    return Logger("shop", logs.pipeline)


def test_an_exception_given_by_position_is_the_record_s_error(logs: CapturedLogs, log: Logger) -> None:
    for method in (log.debug, log.info, log.warning, log.error, log.exception, log.fatal):
        method("Transfer failed", ValueError(CANARY))
        assert logs.last["error"]["message"] == "[secret]"
    log.error("Failed for %s", ValueError(CANARY))
    assert (logs.last["message"], logs.last["error"]["type"]) == ("Failed for [secret]", "ValueError")


@pytest.mark.parametrize("arguments", [("one", CANARY), (Unreadable(), CANARY), (CANARY,)])
def test_arguments_that_do_not_fit_are_beside_the_message(
    logs: CapturedLogs, log: Logger, arguments: tuple[Any, ...]
) -> None:
    log.error("%d of %s by %s", *arguments)
    stdlib.BridgeHandler(logs.pipeline).handle(
        standard.LogRecord("any", standard.WARNING, __file__, 1, "%d of %s by %s", arguments, None)
    )
    for record in logs.records:
        assert record["message"] == "%d of %s by %s"
        assert record["arguments"][-1] == "[secret]"
    assert len(logs.records) == 2


def test_notes_and_all_members_of_nested_groups_are_in_the_stack() -> None:
    inner = ExceptionGroup("inner", [ValueError("leaf one"), KeyError("leaf two")])
    caused = OSError("leaf three")
    caused.__cause__ = TypeError("its cause")
    error = ExceptionGroup("outer", [inner, caused])
    error.add_note("while moving house")
    inner.exceptions[0].add_note("of the first leaf")
    stack = describe(error)["stack"]
    for text in ("leaf one", "leaf two", "leaf three", "its cause", "moving house", "of the first leaf"):
        assert stack.count(text) == 1


def test_a_description_is_bounded() -> None:
    error = ExceptionGroup("many", [ValueError("x" * 5_000) for _ in range(200)])
    stack = describe(error)["stack"]
    assert len(stack) <= MAX_STACK + 10
    assert stack.endswith(f"({201 - MAX_EXCEPTIONS} more)")


def test_a_requested_stack_is_in_the_record_without_source_text(logs: CapturedLogs, log: Logger) -> None:
    log.info("Here", stack_info=True)
    standard.getLogger("any").warning("There", stack_info=True)
    for record in logs.records:
        assert "in test_a_requested_stack_is_in_the_record_without_source_text" in record["stack"]
        assert "stack_info=True" not in record["stack"]
    assert len(logs.records) == 2


def test_a_warning_is_a_record(logs: CapturedLogs) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        stdlib.release()
        stdlib.capture(logs.pipeline, warnings=True)
        warnings.warn(f"Old call by {CANARY}", stacklevel=1)
        stdlib.release()
    assert logs.last["message"] == "UserWarning: Old call by [secret]"
    assert logs.last["location"].endswith(".py:{}".format(logs.last["location"].rpartition(":")[2]))


def test_a_handler_of_the_host_gets_scrubbed_text_unless_it_is_exempt(logs: CapturedLogs) -> None:
    ours, theirs = io.StringIO(), io.StringIO()
    shop = standard.getLogger("shop.files")
    handlers = [standard.StreamHandler(ours), exempt(standard.StreamHandler(theirs))]
    for handler in handlers:
        handler.setFormatter(standard.Formatter("%(message)s %(user)s"))
        shop.addHandler(handler)
    try:
        raise ValueError(CANARY)
    except ValueError:
        shop.exception("Failed", extra={"user": CANARY})
    finally:
        shop.handlers.clear()
    assert ours.getvalue().startswith("Failed [secret]\nValueError: [secret]\n")
    assert theirs.getvalue().count(CANARY) == 2
    assert len(logs.records) == 1


def test_a_clean_record_reaches_other_handlers_as_it_is(logs: CapturedLogs) -> None:
    received: list[standard.LogRecord] = []

    class Collector(standard.Handler):
        def emit(self, record: standard.LogRecord) -> None:
            received.append(record)

    collector = Collector()
    shop = standard.getLogger("shop.plain")
    shop.addHandler(collector)
    shop.warning("%d of %s", 2, "three", extra={"attempt": 1})
    shop.removeHandler(collector)
    assert [record.args for record in received] == [(2, "three")]


def test_a_failing_handler_is_reported_without_its_record(
    logs: CapturedLogs, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(standard.Handler):
        def emit(self, record: standard.LogRecord) -> None:
            try:
                raise OSError(CANARY)
            except OSError:
                self.handleError(record)

    shop = standard.getLogger("shop.failing")
    shop.addHandler(Failing())
    shop.warning("Something for %s", CANARY)
    shop.handlers.clear()
    assert CANARY not in capsys.readouterr().err


def test_records_that_only_null_handlers_receive_stay_silent(logs: CapturedLogs) -> None:
    silenced = standard.getLogger("shop.silenced")
    silenced.propagate = False
    silenced.addHandler(standard.NullHandler())
    silenced.error("Not wanted")
    silenced.handlers.clear()
    silenced.error("Wanted")
    silenced.propagate = True
    assert logs.messages == ["Wanted"]


def test_a_release_restores_the_standard_library() -> None:
    stdlib.release()
    before = (standard.Handler.handle, standard.Logger.callHandlers, standard.Handler.handleError)
    shown = warnings.showwarning
    stdlib.capture(CapturedLogs().pipeline, warnings=True)
    assert before[0] is not standard.Handler.handle
    stdlib.release()
    assert before == (standard.Handler.handle, standard.Logger.callHandlers, standard.Handler.handleError)
    assert warnings.showwarning is shown


def test_a_structlog_event_is_a_record(logs: CapturedLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped = type("DropEvent", (BaseException,), {})
    # structlog is not in the environment of these tests; the matrix of set-ups uses the real one.
    monkeypatch.setitem(sys.modules, "structlog", SimpleNamespace(DropEvent=dropped))
    processor = PipelineProcessor(logs.pipeline)
    with pytest.raises(dropped):
        processor(
            None, "error", {"event": f"Failed for {CANARY}", "user": CANARY, "exc_info": ValueError("no")}
        )
    record = logs.last
    assert (record["message"], record["level"], record["user"]) == (
        "Failed for [secret]",
        "error",
        "[secret]",
    )
    assert record["error"]["type"] == "ValueError"


def test_a_structlog_event_is_scrubbed_for_another_renderer() -> None:
    event = scrub_event(None, "error", {"event": CANARY, "exc_info": ValueError(CANARY)})
    assert event == {"event": "[secret]", "exception": "\nValueError: [secret]"}


def loguru_record(error: BaseException | None) -> dict[str, Any]:
    exception = None if error is None else (type(error), error, None)
    level = SimpleNamespace(no=40, name="ERROR")
    return {
        "message": f"Failed for {CANARY}",
        "extra": {"user": CANARY},
        "exception": exception,
        "level": level,
        "name": "shop",
    }


def test_a_loguru_message_is_a_record(logs: CapturedLogs) -> None:
    PipelineSink(logs.pipeline)(SimpleNamespace(record=loguru_record(ValueError(CANARY))))
    record = logs.last
    assert (record["message"], record["logger"], record["user"]) == (
        "Failed for [secret]",
        "shop",
        "[secret]",
    )
    assert record["error"]["message"] == "[secret]"


def test_a_loguru_record_is_scrubbed_for_other_sinks() -> None:
    record = loguru_record(ValueError(CANARY))
    scrub_record(record)
    assert CANARY not in str(record)
    assert record["message"].endswith("ValueError: [secret]")

"""Uncaught exceptions are logged, scrubbed, and not printed to standard error."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import orjson
import pytest

from tallow.monitoring.testing import assert_absent, sentry_endpoint

SECRET = "alice@example.org"
CASES = {
    "program": ("fatal", "The program ended by an uncaught exception", "fail()"),
    "thread": (
        "error",
        "A thread ended by an uncaught exception",
        "thread = threading.Thread(target=fail); thread.start(); thread.join()",
    ),
    "finalizer": ("warning", "An exception in a finalizer was ignored", "Finalised()"),
}
HEAD = f"""
import sys, threading
from tallow.monitoring.logging import configure

def fail():
    raise RuntimeError("no room for {SECRET}")

class Finalised:
    def __del__(self):
        fail()
"""


def run(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HEAD + textwrap.dedent("\n".join(lines))],
        env=os.environ | {"LOG_LEVEL": "debug"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("case", CASES)
def test_an_uncaught_exception_is_logged_and_not_printed(case: str) -> None:
    level, message, line = CASES[case]
    done = run("configure()", "configure()", line)
    (record,) = [orjson.loads(one) for one in done.stdout.splitlines()]
    assert (record["level"], record["logger"], record["message"]) == (level, "uncaught", message)
    assert record["error"]["message"] == "no room for [email]"
    assert_absent([SECRET], done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if case == "program" else 0)
    if case == "program":
        assert done.stderr == "ended by an uncaught RuntimeError; see the log\n"


def test_the_host_s_own_hook_is_still_called() -> None:
    done = run("sys.excepthook = lambda *given: print('mine', file=sys.stderr)", "configure()", "fail()")
    assert done.stderr.splitlines()[-1] == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["init_monitoring()", "configure()"])
def test_sentry_reports_an_uncaught_exception_in_either_order_of_start(first: str) -> None:
    second = {"init_monitoring()": "configure()", "configure()": "init_monitoring()"}[first]
    with sentry_endpoint() as sentry:
        load = f"import os; os.environ['SENTRY_DSN'] = {sentry.dsn!r}"
        done = run(load, "from tallow.monitoring.sentry import init_monitoring", first, second, "fail()")
        assert [one["exception"]["values"][0]["value"] for one in sentry.payloads("event")] == [
            "no room for [email]"
        ]
        assert len(done.stdout.splitlines()) == 1
        assert_absent([SECRET], done.stdout, done.stderr, sentry.text)


@pytest.mark.parametrize("line", ["sys.exit('bye')", "raise KeyboardInterrupt"])
def test_exit_and_keyboard_interrupt_are_not_logged(line: str) -> None:
    assert run("configure()", line).stdout == ""


@pytest.mark.parametrize("how", ["configure(console=False)", "configure(standard_library=False)"])
def test_without_console_or_capture_tracebacks_are_printed(how: str) -> None:
    assert "Traceback" in run(how, "fail()").stderr

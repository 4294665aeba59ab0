"""Exceptions nobody caught: in the log, scrubbed, and not on standard error."""

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
    "program": ("fatal", "The program ended by an exception", "fail()"),
    "thread": (
        "error",
        "A thread ended by an exception",
        "thread = threading.Thread(target=fail); thread.start(); thread.join()",
    ),
    "finaliser": ("warning", "An exception could not be raised", "Finalised()"),
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
def test_it_is_a_record_and_no_traceback(case: str) -> None:
    level, message, line = CASES[case]
    done = run("configure()", "configure()", line)
    (record,) = [orjson.loads(one) for one in done.stdout.splitlines()]
    assert (record["level"], record["logger"], record["message"]) == (level, "uncaught", message)
    assert record["error"]["message"] == "no room for [email]"
    assert_absent([SECRET], done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if case == "program" else 0)
    if case == "program":
        assert done.stderr == "ended by an uncaught RuntimeError; the log says where\n"


def test_a_hook_of_the_host_is_still_called() -> None:
    done = run("sys.excepthook = lambda *given: print('mine', file=sys.stderr)", "configure()", "fail()")
    assert done.stderr.splitlines()[-1] == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["init_monitoring()", "configure()"])
def test_sentry_hears_of_it_and_prints_nothing_in_either_order(first: str) -> None:
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
def test_leaving_on_purpose_is_no_record(line: str) -> None:
    assert run("configure()", line).stdout == ""


@pytest.mark.parametrize("how", ["configure(console=False)", "configure(standard_library=False)"])
def test_a_program_that_owns_its_terminal_keeps_its_tracebacks(how: str) -> None:
    assert "Traceback" in run(how, "fail()").stderr

"""Running checks: outcomes, and checks that fail themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallow.stack.doctor.model import Check, CheckResult, NotApplicableError, Problem, diagnose
from tallow.stack.engines.errors import StackError


def check(*steps: Problem | Exception) -> Check[None]:
    def find(_: None) -> Iterator[Problem]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    return Check("one", "All is well", find)


def result(*steps: Problem | Exception) -> CheckResult:
    [found] = diagnose("native", [check(*steps)], None, (StackError,)).results
    return found


WARNING, ERROR = Problem("a", "b", "warning"), Problem("c", "d")


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        pytest.param((), "ok", id="nothing"),
        pytest.param((WARNING,), "warning", id="a warning"),
        pytest.param((WARNING, ERROR), "error", id="a warning and an error"),
        pytest.param((NotApplicableError("why"),), "skipped", id="skipped"),
    ],
)
def test_the_outcome_is_that_of_the_worst_problem(steps: tuple[Problem, ...], outcome: str) -> None:
    assert result(*steps).outcome == outcome


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(StackError("in words"), "in words", id="known"),
        pytest.param(PermissionError(13, "Permission denied", "/x"), "/x: Permission denied", id="file"),
        pytest.param(KeyError("route"), "the check ended with KeyError: 'route'", id="unexpected"),
    ],
)
def test_a_check_that_fails_is_a_problem_in_one_line(error: Exception, message: str) -> None:
    found = result(error)
    assert [problem.message for problem in found.problems] == [message]
    assert found.outcome == "error"


def test_other_checks_run_after_one_that_fails() -> None:
    diagnosis = diagnose("native", [check(KeyError("x")), check(WARNING)], None)
    assert [one.outcome for one in diagnosis.results] == ["error", "warning"]
    assert diagnosis.problems(["warning"]) == [WARNING]

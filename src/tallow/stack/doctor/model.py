"""Checks, the problems that they find, and their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar, get_args

Severity = Literal["error", "warning"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""Worst first. An error: monitoring or protection fails. A warning: it works, but production needs more."""

_LISTED: Final = 3
"""Names that a message has."""

Context = TypeVar("Context")


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c", "d", "e"])
        ('a', 'a, b, c and 2 more')
    """
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


class NotApplicableError(Exception):
    """A check has nothing to check. The text is the reason, without a full stop."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Attributes:
        message: what is wrong, without a full stop.
        remedy: what to do: a command, or an instruction.
    """

    message: str
    remedy: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Check(Generic[Context]):
    """An item of the checklist.

    Attributes:
        id: a short name, the same in the checklist.
        title: the item, as a statement that is true when all is well.
        find: yields the problems. It may raise :class:`NotApplicableError`.
    """

    id: str
    title: str
    find: Callable[[Context], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check.

    Attributes:
        skipped: why the check was not made; empty if it was.
    """

    id: str
    title: str
    problems: tuple[Problem, ...] = ()
    skipped: str = ""

    @property
    def outcome(self) -> str:
        """The worst severity of its problems, ``ok`` without any, or ``skipped``."""
        if self.skipped:
            return "skipped"
        found = {problem.severity for problem in self.problems}
        return next((severity for severity in SEVERITIES if severity in found), "ok")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The results of all checks of one installation.

    Attributes:
        engine: ``native``, ``docker`` or ``kubernetes``.
    """

    engine: str
    results: tuple[CheckResult, ...] = field(default_factory=tuple)

    def problems(self, severities: Sequence[str] = SEVERITIES) -> list[Problem]:
        """The problems of these severities."""
        return [
            problem
            for result in self.results
            for problem in result.problems
            if problem.severity in severities
        ]


def diagnose(
    engine: str,
    checks: Iterable[Check[Context]],
    context: Context,
    readable: tuple[type[Exception], ...] = (),
) -> Diagnosis:
    """Run every check. One that fails itself is reported as a problem, and the others are still run.

    Args:
        engine: ``native``, ``docker`` or ``kubernetes``.
        context: what the checks look at.
        readable: exceptions whose text is for the operator.
    """
    return Diagnosis(engine, tuple(_run(check, context, readable) for check in checks))


def _run(check: Check[Context], context: Context, readable: tuple[type[Exception], ...]) -> CheckResult:
    try:
        return CheckResult(check.id, check.title, tuple(_iterate(check, context)))
    except NotApplicableError as reason:
        return CheckResult(check.id, check.title, skipped=str(reason))
    except readable as error:
        return CheckResult(check.id, check.title, (Problem(str(error), "correct this and run it again"),))
    except OSError as error:
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        message = f"{where}{error.strerror or error}"
        return CheckResult(
            check.id, check.title, (Problem(message, "make it readable for the user of the stack"),)
        )
    except Exception as error:  # noqa: BLE001 - a damaged file must not hide the results of other checks
        message = f"the check ended with {type(error).__name__}: {error}"
        return CheckResult(
            check.id, check.title, (Problem(message, "see docs/stack.md, and report it if it stays"),)
        )


def _iterate(check: Check[Context], context: Context) -> Iterator[Problem]:
    yield from check.find(context)

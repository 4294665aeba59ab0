"""What promtool says about failed tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tallow.stack.prove.duration import DurationError, parse_duration

_TEST: Final = re.compile(r"^\s*name: (?P<name>.*?),?\s*$")
_ALERT: Final = re.compile(r"^\s*alertname: ?(?P<alert>.*), time: (?P<time>[^,]+),\s*$")
_EXPRESSION: Final = re.compile(r'^\s*expr: (?P<expr>".*"), time: (?P<time>[^,]+),\s*$')
_ALERTNAME: Final = re.compile(r'alertname=(?P<alert>"(?:[^"\\]|\\.)*")')
_GOT: Final = re.compile(r"^\s*got:(?P<rest>.*)$")
_EXPECTED: Final = re.compile(r"^\s*exp:(?P<rest>.*)$")
_LABELS: Final = re.compile(r"^\s*Labels:\{(?P<labels>.*)\}\s*$")
_ANNOTATIONS: Final = re.compile(r"^\s*Annotations:\{(?P<labels>.*)\}\s*$")
_REJECTED: Final = re.compile(
    r'(?:\S*/)?(?P<file>[^/\s]+\.yml): (?:\d+:\d+: )?group "[^"]*", '
    r'rule \d+, "(?:[^"\\]|\\.)*": (?P<reason>.+)'
)
_PAIR: Final = re.compile(r'(?P<name>[^\s,={"]+|"(?:[^"\\]|\\.)*")="(?P<value>(?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class FiringAlert:
    """An alert that fired. ``labels`` include its name."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected_labels(self) -> dict[str, object]:
        """An entry of ``exp_alerts`` for a rule without annotations."""
        labels = {name: value for name, value in self.labels.items() if name != "alertname"}
        return {"exp_labels": labels} if labels else {}

    @property
    def expected(self) -> dict[str, object]:
        """An entry of ``exp_alerts``."""
        annotations = {"exp_annotations": dict(self.annotations)} if self.annotations else {}
        return {**self.expected_labels, **annotations}


@dataclass(slots=True)
class FailedCheck:
    """An entry of ``alert_rule_test`` whose expectation did not hold, or one of ``promql_expr_test``.

    Attributes:
        test: the ``name`` of the test.
        alert: of an expression, the ``alertname`` that it selects.
        seconds: the time of the evaluation.
        firing: the alerts that fired; those of an expression are not read.
    """

    test: str
    alert: str
    seconds: float
    firing: list[FiringAlert] = field(default_factory=list)


def failed_checks(output: str) -> list[FailedCheck]:
    """The failed checks in the output of ``promtool test rules``, which versions 2 and 3 write alike.

    Example:
        >>> text = 'name: a,\\nalertname: Down, time: 5m,\\nexp:[]\\ngot:[\\n0:\\nLabels:{job="db"}'
        >>> [(check.test, check.seconds, check.firing[0].labels) for check in failed_checks(text)]
        [('a', 300.0, {'job': 'db'})]
    """
    return list(_Reader().read(output))


def rejected_rules(output: str) -> dict[str, str]:
    """Why rule files are not read, by the name of the file: the first reason for each.

    Example:
        >>> rejected_rules('/tmp/a/r3.yml: group "rules", rule 1, "T": annotation "a": unclosed action')
        {'r3.yml': 'annotation "a": unclosed action'}
    """
    found: dict[str, str] = {}
    for line in output.splitlines():
        if match := _REJECTED.match(line.strip()):
            found.setdefault(match["file"], match["reason"])
    return found


class _Reader:
    def __init__(self) -> None:
        self._test = ""
        self._check: FailedCheck | None = None
        self._got = False

    def read(self, output: str) -> Iterator[FailedCheck]:
        for line in output.splitlines():
            if found := _TEST.match(line):
                self._test, self._check = found["name"], None
            elif found := _ALERT.match(line):
                check = self._started(found["alert"], found["time"])
                if check is not None:
                    yield check
            elif found := _EXPRESSION.match(line):
                named = _ALERTNAME.search(_unquoted(found["expr"]))
                check = self._started(_unquoted(named["alert"]) if named else "", found["time"])
                if check is not None:
                    yield check
                self._check = None
            elif self._check is not None:
                self._detail(line, self._check)

    def _started(self, alert: str, time: str) -> FailedCheck | None:
        try:
            seconds = parse_duration(time)
        except DurationError:
            return None
        self._check, self._got = FailedCheck(self._test, alert, seconds), False
        return self._check

    def _detail(self, line: str, check: FailedCheck) -> None:
        if _EXPECTED.match(line):
            self._got = False
        elif _GOT.match(line):
            self._got = True
        elif not self._got:
            return
        elif found := _LABELS.match(line):
            check.firing.append(FiringAlert(_pairs(found["labels"])))
        elif (found := _ANNOTATIONS.match(line)) and check.firing:
            check.firing[-1] = FiringAlert(check.firing[-1].labels, _pairs(found["labels"]))


def _pairs(text: str) -> dict[str, str]:
    return {_unquoted(found["name"]): _unquoted(f'"{found["value"]}"') for found in _PAIR.finditer(text)}


def _unquoted(text: str) -> str:
    """A text in Go's quotes."""
    if not text.startswith('"'):
        return text
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]

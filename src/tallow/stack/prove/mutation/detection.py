"""Which mutants the tests of an alert detect."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tallow.stack.prove.promtool.documents import Document, as_yaml, quoted, rule_file, seconds_text
from tallow.stack.prove.promtool.output import FiringAlert, failed_checks
from tallow.stack.prove.promtool.program import Promtool, PromtoolError

_FAILED: Final = re.compile(
    r"""(?:\balertname: ?|\brule: )[^\n]*?__(\d+)(?=,)|\bexpr: "[^\n]*?\balertname=\\"[^\n]*?__(\d+)\\\""""
)
_EVALUATION: Final = "rule: "
_EVALUATION_ERROR: Final = re.compile(r"\brule: .+, time: .+, err: ")


@dataclass(frozen=True, slots=True)
class AlertTest:
    """A test of one alert.

    Attributes:
        name: in words.
        document: an entry of ``tests`` without expectations about alerts.
        expectations: entries of ``alert_rule_test`` about the alert.
        evaluation_interval_seconds: of the rules.
        rules: entries of ``rules`` that the alert reads.
        samples: entries of ``promql_expr_test`` about the series ``ALERTS`` of the alert.
    """

    name: str
    document: Mapping[str, object]
    expectations: Sequence[Document]
    evaluation_interval_seconds: float
    rules: Sequence[Document] = ()
    samples: Sequence[Document] = ()

    def text(self, names: Sequence[str]) -> str:
        """A test file that expects the same of each of some alerts."""
        expectations = {
            "alert_rule_test": [{**each, "alertname": name} for each in self.expectations for name in names],
            "promql_expr_test": [_about(each, name) for each in self.samples for name in names],
        }
        document = {
            "rule_files": ["rules.yml"],
            "evaluation_interval": seconds_text(self.evaluation_interval_seconds),
            "tests": [{**self.document, **{key: found for key, found in expectations.items() if found}}],
        }
        return as_yaml(document)


_ALERTNAME: Final = re.compile(r'(?<=\balertname=)"(?:[^"\\]|\\.)*"')


def _about(sample: Document, name: str) -> Document:
    """An entry of ``promql_expr_test`` about the alert of another name."""
    named = quoted(name).replace("\\", "\\\\")
    expected = [
        {**each, "labels": _ALERTNAME.sub(named, str(each.get("labels", "")))}
        for each in sample.get("exp_samples") or ()
    ]
    return {**sample, "expr": _ALERTNAME.sub(named, str(sample["expr"])), "exp_samples": expected}


def detected(rules: Mapping[int, Document], test: AlertTest, promtool: Promtool) -> set[int]:
    """The numbers of the rules that fail a test.

    All rules are evaluated in one run of promtool, each under its own name. A rule that cannot be evaluated
    ends a run; the rest runs again.

    Raises:
        PromtoolError: promtool cannot be started, takes too long, or rejects the test itself.
    """
    with TemporaryDirectory() as folder:
        found: set[int] = set()
        while left := {number: rule for number, rule in rules.items() if number not in found}:
            output = _run(left, test, promtool, Path(folder))
            caught = {int(one or other) for one, other in _FAILED.findall(output)} & left.keys()
            found |= caught
            if not output or (caught and _EVALUATION not in output):
                return found
            if not caught:
                return found | _rejected(left, test, promtool, output)
        return found


def failures(
    rules: Mapping[int, Document], test: AlertTest, promtool: Promtool
) -> dict[int, dict[float, list[FiringAlert]]]:
    """The alerts that fire where a test expects others: for each rule by the seconds from the start.

    Raises:
        PromtoolError: promtool cannot be started, takes too long, or cannot evaluate one of the rules.
    """
    with TemporaryDirectory() as folder:
        output = _run(rules, test, promtool, Path(folder))
    if _EVALUATION_ERROR.search(output):
        raise PromtoolError(f"promtool cannot evaluate the rules: {_reason(output)}")
    found: dict[int, dict[float, list[FiringAlert]]] = {}
    for check in failed_checks(output):
        found.setdefault(int(check.alert.rpartition("__")[2]), {})[check.seconds] = check.firing
    return found


def _rejected(rules: Mapping[int, Document], test: AlertTest, promtool: Promtool, output: str) -> set[int]:
    """Those of a set of rules that promtool does not accept as rules; halves of the set are run again."""
    if len(rules) == 1:
        if 0 in rules:
            raise PromtoolError(f"promtool rejects the test '{test.name}': {_reason(output)}")
        return set(rules)
    numbers = list(rules)
    middle = len(numbers) // 2
    halves = numbers[:middle], numbers[middle:]
    found = [detected({number: rules[number] for number in half}, test, promtool) for half in halves]
    return found[0] | found[1]


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if not line.startswith(("FAILED", "Unit"))), "unknown")


def _run(rules: Mapping[int, Document], test: AlertTest, promtool: Promtool, folder: Path) -> str:
    names = {number: f"{rule['alert']}__{number}" for number, rule in rules.items()}
    renamed = [
        {**rule, "alert": names[number], "expr": _own_state(rule, names[number])}
        for number, rule in rules.items()
    ]
    (folder / "rules.yml").write_text(rule_file([*test.rules, *renamed], "tested"), encoding="utf-8")
    (folder / "tests.yml").write_text(test.text(list(names.values())), encoding="utf-8")
    return promtool.test([folder / "tests.yml"])


def _own_state(rule: Document, name: str) -> str:
    """The expression of a rule. One that reads its own state does so under the name of the test."""
    return str(rule["expr"]).replace(f'alertname="{rule["alert"]}"', f'alertname="{name}"')

"""Mutants against tests of users, and against witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tallow.stack.prove.mutation.distinguish import settled_times
from tallow.stack.prove.mutation.inputs import TestInput
from tallow.stack.prove.mutation.run import MutationResult, observed_tests, run_mutants
from tallow.stack.prove.mutation.test_file import TestFileError, load_tests
from tallow.stack.prove.promtool.documents import Document, rule_document, rule_file
from tallow.stack.prove.promtool.output import FiringAlert
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.proof import ProofRequest, prove_alerts
from tallow.stack.prove.rule_file import LoadedRule, load_rules
from tallow.stack.prove.witnesses.find import WitnessSearch

pytestmark = pytest.mark.slow

RULES = """\
groups:
  - name: web
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Errors
        expr: job:errors:rate5m{job="web"} > 3
        for: 5m
        labels: {severity: warning}
        annotations: {summary: "Errors of {{ $labels.job }}"}
"""
FIRING = {
    "exp_labels": {"severity": "warning", "job": "web"},
    "exp_annotations": {"summary": "Errors of web"},
}


def case(per_minute: float, job: str = "web", **alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """A test with a constant rate of errors. ``alerts`` are what is expected at each minute, as ``m5``."""
    checks = [
        {"eval_time": f"{minute.removeprefix('m')}m", "alertname": "Errors", "exp_alerts": expected}
        for minute, expected in alerts.items()
    ]
    series = {"series": f'errors_total{{job="{job}"}}', "values": f"0+{per_minute}x60"}
    return {"interval": "1m", "input_series": [series], "alert_rule_test": checks}


WEAK = [case(600, m30=[FIRING])]
STRONG = [
    case(184, m5=[], m9=[], m12=[FIRING], m30=[FIRING]),
    case(176, m30=[]),
    case(600, job="db", m30=[]),
]


def run(folder: Path, tests: list[dict[str, Any]]) -> MutationResult:
    rules, path = folder / "rules.yml", folder / "tests.yml"
    rules.write_text(RULES)
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    search = WitnessSearch(load_rules([rules]))
    [alert] = search.alerts
    own = load_tests([path])["Errors"]
    return run_mutants(alert, own, search.needed_recordings(alert), Promtool.find())


def test_weak_tests_leave_mutants_and_strong_ones_do_not(tmp_path: Path) -> None:
    weak, strong = run(tmp_path, WEAK), run(tmp_path, STRONG)
    left = {str(survivor.mutant) for survivor in weak.survivors}
    assert {"number changed: 3 -> 6", "for changed: 5m -> 10m"} <= left
    assert 'label value changed: job="web" -> job="xweb"' not in left
    assert weak.detected + len(left) == weak.mutants == strong.mutants
    assert [str(survivor.mutant) for survivor in strong.survivors] == []


def test_a_test_that_the_rule_itself_fails_is_told_and_not_used(tmp_path: Path) -> None:
    result = run(tmp_path, [case(176, m30=[FIRING])])
    assert result.failed_tests == ("tests.yml, test 1",)
    assert result.detected == 0


def test_a_test_that_promtool_rejects_is_a_problem(tmp_path: Path) -> None:
    broken = case(600, m30=[FIRING])
    broken["input_series"][0]["values"] = "0+"
    assert "promtool rejects the test" in run(tmp_path, [broken]).problem


def test_witnesses_detect_most_mutants(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    search, promtool = WitnessSearch(load_rules([rules])), Promtool.find()
    [witness] = search.run(promtool)
    recordings = search.needed_recordings(witness.alert)
    own = observed_tests(witness)
    result = run_mutants(witness.alert, own, recordings, promtool, annotations=False)
    assert (result.failed_tests, result.problem) == ((), "")
    left = {str(survivor.mutant) for survivor in result.survivors}
    assert not {"number changed: 3 -> 6", "number changed: 3 -> 1.5", "comparison flipped: > -> <"} & left
    assert not {"for changed: 5m -> 10m", "for changed: 5m -> 2m30s"} & left


def test_the_missing_tests_pass_with_the_rule_and_fail_with_its_mutants(tmp_path: Path) -> None:
    rules, own, missing = tmp_path / "rules.yml", tmp_path / "own.yml", tmp_path / "missing.yml"
    rules.write_text(RULES)
    own.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": WEAK}))
    promtool = Promtool.find()
    request = ProofRequest(write_tests=missing, tests=(own,))
    proof = prove_alerts(load_rules([rules]), request, promtool)
    [result] = proof.mutation
    left = [survivor.mutant for survivor in result.survivors]
    assert {"number changed: 3 -> 6", "for changed: 5m -> 10m"} <= set(map(str, left))
    assert [str(mutant) for mutant in left if mutant not in result.told_apart] == []
    assert promtool.test([missing]) == ""
    for mutant in left:
        rules.write_text(rule_file([*map(rule_document, search_rules(rules)), full(mutant.rule)], "web"))
        assert "FAILED" in promtool.test([missing]), mutant
        rules.write_text(RULES)


def search_rules(path: Path) -> list[LoadedRule]:
    return [rule for rule in load_rules([path]) if rule.kind == "record"]


def full(rule: LoadedRule) -> Document:
    return rule_document(rule, annotations=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "not YAML"),
        ("groups: []", "no list of tests"),
        ("tests: 5", "no list of tests"),
        ("tests: [5]", "test 1 is not a mapping"),
        ("tests: [{alert_rule_test: 5}]", "'alert_rule_test' of test 1 is not a list"),
        ("evaluation_interval: soon\ntests: []", "'evaluation_interval': 'soon' is not a duration"),
    ],
)
def test_a_file_that_is_no_test_file_is_one_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "tests.yml"
    path.write_text(text)
    with pytest.raises(TestFileError, match=r"tests\.yml: ") as error:
        load_tests([path])
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_test_does_not_look_at_the_evaluation_at_which_an_alert_begins_or_ends() -> None:
    """Prometheus 2 counts a sample at the start of a range, Prometheus 3 does not."""
    one = TestInput((), 15.0, 15.0, 300.0)
    fired = {time: [FiringAlert({"alertname": "A"})] for time in one.times if 90 <= time <= 210}
    settled = settled_times(one, fired)
    assert not {75.0, 90.0, 210.0, 225.0} & set(settled)
    assert {60.0, 105.0, 195.0, 240.0} <= set(settled)
    coarse = TestInput((), 15.0, 15.0, 1965.0)
    ends = coarse.times[30]
    fired = {time: [FiringAlert({"alertname": "A"})] for time in coarse.times if time <= ends}
    assert ends not in settled_times(coarse, fired)

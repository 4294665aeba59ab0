"""promtool sees alerts fire under the series that were found, and passes the tests that are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from stack.prove.witnesses.test_candidates import FIRING, RECORDED
from tallow.stack.alerts import RULES
from tallow.stack.prove.mutation.run import run_mutants
from tallow.stack.prove.mutation.test_file import load_tests
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.rule_file import LoadedRule, load_rules, parse_rules
from tallow.stack.prove.witnesses.candidate import CandidateSearch
from tallow.stack.prove.witnesses.find import WitnessSearch
from tallow.stack.prove.witnesses.test_writer import write_tests
from tallow.stack.prove.witnesses.verification import verify

pytestmark = pytest.mark.slow

ALERTING = Path(__file__).parents[4] / "monitoring" / "alerting"
OWN_FILES = [ALERTING / "prometheus-rules.yml", ALERTING / "prometheus-rules-monitoring.yml"]
OF_DIFFERENT_KINDS = {"CriticalErrors", "HighMemoryUsage", "ServiceDown", "Watchdog", "ScrapeNearSampleLimit"}


def own_rules(names: set[str]) -> list[LoadedRule]:
    return [rule for rule in load_rules(OWN_FILES) if rule.kind == "record" or rule.name in names]


def assert_witnesses(names: set[str]) -> None:
    witnesses = WitnessSearch(own_rules(names)).run(Promtool.find(), all_edges=False)
    assert {witness.alert.name for witness in witnesses} == names
    assert [str(witness.alert.where) for witness in witnesses if not witness.found] == []
    # The watchdog always fires: no series make it quiet.
    assert {one.alert.name for one in witnesses if one.quiet_series is None} == names & {"Watchdog"}


def test_own_alerts_of_different_kinds_have_a_witness() -> None:
    assert_witnesses(OF_DIFFERENT_KINDS)


@pytest.mark.proof
def test_every_own_alert_has_a_witness() -> None:
    assert_witnesses(set(RULES))


def test_promtool_agrees_with_the_search() -> None:
    rules = [*RECORDED, *({"alert": f"T{number}", "expr": expr} for number, expr in enumerate(FIRING))]
    search = WitnessSearch(parse_rules(json.dumps({"groups": [{"name": "g", "rules": rules}]}), "rules.yml"))
    candidates = []
    for alert in search.alerts:
        found = next(CandidateSearch(alert, search.recordings).candidates())
        candidates.append((found, search.needed_recordings(alert)))
    verified = verify(candidates, Promtool.find())
    wrong = [one.candidate.rule.expr for one in verified if not (one.fires and one.stays_quiet)]
    assert wrong == []


RULE_FILE = """\
groups:
  - name: web
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Errors
        expr: job:errors:rate5m > 3
        for: 10m
        labels: {severity: warning}
        annotations: {summary: '"{{ $labels.job }}": {{ $value | printf "%.0f" }} errors'}
      - alert: Errors
        expr: job:errors:rate5m > 30
        labels: {severity: critical}
      - alert: Dead
        expr: count(up) == 0
"""


def test_written_tests_pass_and_fail_with_another_rule(tmp_path: Path) -> None:
    rules, tests, promtool = tmp_path / "rules.yml", tmp_path / "rules-test.yml", Promtool.find()
    rules.write_text(RULE_FILE)
    search = WitnessSearch(load_rules([rules]))
    witnesses = search.run(promtool)
    assert [witness.found for witness in witnesses] == [True, True, False]
    written = write_tests(witnesses, search, tests, promtool)
    assert (written.files, written.failing) == ((tests,), ())
    assert written.tests >= 4
    assert promtool.test([tests]) == ""
    for old, new in ((" > 3\n", " > 4\n"), ("10m", "20m"), ("warning", "info"), ("%.0f", "%.1f")):
        rules.write_text(RULE_FILE.replace(old, new))
        assert "FAILED" in promtool.test([tests]), old


def test_a_value_with_all_of_its_digits_is_not_expected(tmp_path: Path) -> None:
    """Versions of Prometheus differ in the last digit of computed values."""
    rules, tests, promtool = tmp_path / "rules.yml", tmp_path / "tests.yml", Promtool.find()
    text = RULE_FILE.replace('$value | printf "%.0f"', "$value").replace(
        "alert: Errors", 'alert: "Errors of \\"a\\""'
    )
    rules.write_text(text)
    search = WitnessSearch(load_rules([rules]))
    written = write_tests(search.run(promtool), search, tests, promtool)
    assert written.failing == ()
    of_warning, of_critical = (
        [one for one in yaml.safe_load(tests.read_text())["tests"] if key in one] for key in KINDS
    )
    assert of_warning
    assert of_critical
    assert promtool.test([tests]) == ""
    own = load_tests([tests])['Errors of "a"']
    assert len(own) == written.tests
    [warning, *_] = search.alerts
    result = run_mutants(warning, own[: len(of_warning)], search.needed_recordings(warning), promtool)
    assert result.failed_tests == ()
    left = {str(survivor.mutant) for survivor in result.survivors}
    assert (
        not {"number changed: 3 -> 6", "for changed: 10m -> 20m", "severity changed: warning -> critical"}
        & left
    )
    for old, new in ((" > 3\n", " > 4\n"), ("10m", "20m"), ("warning", "info")):
        rules.write_text(text.replace(old, new))
        assert "FAILED" in promtool.test([tests]), old


KINDS = ("promql_expr_test", "alert_rule_test")


def test_rules_that_promtool_cannot_read_are_written_beside_the_tests(tmp_path: Path) -> None:
    rules, tests, promtool = tmp_path / "object.yaml", tmp_path / "tests.yml", Promtool.find()
    spec = {"kind": "PrometheusRule", "spec": yaml.safe_load(RULE_FILE)}
    rules.write_text(yaml.safe_dump(spec))
    search = WitnessSearch(load_rules([rules]))
    written = write_tests(search.run(promtool), search, tests, promtool)
    assert written.failing == ()
    assert yaml.safe_load(tests.read_text())["rule_files"] == ["tests-object.rules.yml"]
    assert promtool.test([tests]) == ""

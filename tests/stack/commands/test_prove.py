"""`tallow prove`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.prove.promtool.program import Promtool

RULES = """\
groups:
  - name: web
    rules:
      - alert: Down
        expr: count(up == 1) == 0
        for: 5m
        labels: {severity: critical}
        annotations: {summary: Down}
      - alert: Typo
        expr: rate(web_request_total[1m]) > 5
        for: 5m
        labels: {severity: critical}
        annotations: {summary: Many}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    return path


def prove(*arguments: object) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, ["prove", *map(str, arguments)])


def test_findings_are_lines_with_a_summary(rules: Path) -> None:
    done = prove(rules, "--static")
    assert done.exit_code == 1
    assert f"{rules}:4: Down: error: condition/never: '== 0' never holds" in done.output
    assert f"{rules}:9: Typo: warning: range/short: " in done.output
    assert "2 rules, 2 findings, 0 not parsed" in done.output
    assert "skipped without --metrics: metrics/unknown-metric" in done.output


def test_a_source_adds_checks(rules: Path, tmp_path: Path) -> None:
    exposition = tmp_path / "metrics.txt"
    exposition.write_text("# TYPE web_requests_total counter\nweb_requests_total 1\n")
    done = prove(rules, "--metrics", exposition)
    assert "has no metric web_request_total; it has web_requests_total" in done.output
    assert "without --metrics" not in done.output


def test_the_scrape_interval_decides_what_is_short(rules: Path) -> None:
    assert "range/short" not in prove(rules, "--scrape-interval", "15s").output


def test_the_severity_that_fails_is_chosen(rules: Path) -> None:
    rules.write_text(RULES.replace("count(up == 1) == 0", "up == 0"))
    assert [prove(rules, "--fail-on", each).exit_code for each in ("error", "warning", "never")] == [0, 1, 0]


def test_json(rules: Path) -> None:
    static, run = (json.loads(prove(rules, "--json", *more).stdout) for more in (("--static",), ()))
    assert (static["rules"], static["unparsed"]) == (2, 0)
    assert {finding["check"] for finding in static["findings"]} == {"condition/never", "range/short"}
    assert static["findings"][0]["line"] == 4
    [added] = [finding for finding in run["findings"] if finding not in static["findings"]]
    assert (added["check"], added["message"]) == (
        "witness/none",
        "cannot fire: count(up == 1) == 0: the value is 1 or more",
    )
    assert run["witnesses"][0]["obstacle"] == {
        "kind": "never",
        "text": "count(up == 1) == 0",
        "reason": "the value is 1 or more",
    }


def test_an_alert_that_cannot_fire_counts_for_the_exit_status(rules: Path) -> None:
    never = "sessions / ignoring (of) limits{of='a'} > 0.8 and limits{of='a'} > 0"
    rules.write_text(RULES.replace("count(up == 1) == 0", never))
    assert prove(rules, "--static").exit_code == 0
    assert prove(rules).exit_code == 1
    [run] = json.loads(prove(rules, "--sarif").stdout)["runs"]
    [result] = [result for result in run["results"] if result["ruleId"] == "witness/none"]
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("Down: cannot fire: sessions / ignoring")


def test_an_alert_without_series_that_make_it_fire_may_be_able_to(rules: Path) -> None:
    rules.write_text(RULES.replace("count(up == 1) == 0", "100 / a * a < 20").replace("[1m]", "[5m]"))
    done = prove(rules)
    assert done.exit_code == 0
    assert "4: Down: warning: witness/unsettled: no firing input found: 100 / a * a < 20" in done.output


def test_sarif(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rules.parent)
    [run] = json.loads(prove(rules, "--sarif").stdout)["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    for result in run["results"]:
        assert result["ruleId"] in known
        [place] = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == rules.name
        assert place["physicalLocation"]["region"]["startLine"] in (4, 9)
    assert {result["level"] for result in run["results"]} == {"error", "warning"}


def test_bad_input_is_one_line(rules: Path, tmp_path: Path) -> None:
    assert prove(tmp_path / "none").exit_code == 2
    assert prove().exit_code == 2
    rules.write_text("a: b: c")
    for arguments in ((rules,), (rules, "--metrics", tmp_path / "none")):
        done = prove(*arguments)
        assert done.exit_code == 1
        [line] = done.output.splitlines()
        assert line.startswith("Error: ")
    for interval in ("0s", "soon", "-1m"):
        assert prove(rules, "--scrape-interval", interval).output.splitlines()[-1].startswith("Error: ")


def test_a_file_that_cannot_be_read_is_a_finding_beside_those_of_the_others(
    rules: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.yml").write_text("groups:\n- name: a\n  rules:\n  - alert: A\n   expr: up\n")
    rules.write_text(RULES.replace("count(up == 1) == 0", "up == 0").replace("[1m]", "[5m]"))
    done = prove(tmp_path, "--static")
    assert done.exit_code == 1
    broken = f"{tmp_path}/broken.yml:5: rule file: error: rule/file: not read: not YAML: "
    assert broken in done.output
    assert "2 rules, 1 finding" in done.output
    [run] = json.loads(prove(tmp_path, "--static", "--sarif").stdout)["runs"]
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("rule/file", "error")
    assert prove(rules, "--static").exit_code == 0


def test_terminal_sequences_of_a_file_are_not_printed(rules: Path) -> None:
    rules.write_text(RULES.replace("alert: Typo", 'alert: "Ty\\epo"'))
    assert "\x1b" not in prove(rules).output


def test_an_alertmanager_configuration_adds_checks(rules: Path, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    done = prove(rules, "--alertmanager", config)
    assert f"{rules}:4: Down: error: receiver/nobody: nobody is notified" in done.output
    config.write_text("route: {receiver: nobody}\n")
    assert (
        prove(rules, "--alertmanager", config).output == f"Error: {config}:1: there is no receiver 'nobody'\n"
    )
    assert "No such file" in prove(rules, "--alertmanager", tmp_path / "none").output


def test_alerts_without_a_firing_input_are_named_with_the_part_that_prevents_it(rules: Path) -> None:
    done = prove(rules)
    assert (
        f"{rules}:4: Down: error: witness/none: cannot fire: count(up == 1) == 0: the value is" in done.output
    )
    assert "1 of 2 alerts seen firing, 1 of them also quiet just below" in done.output


def test_static_runs_no_alert(rules: Path, tmp_path: Path) -> None:
    assert "firing" not in prove(rules, "--static").output
    for option in (("--mutants",), ("--write-tests", tmp_path / "t.yml"), ("--tests", rules)):
        done = prove(rules, "--static", *option)
        assert done.exit_code == 2
        assert "--static excludes" in done.output


def test_tests_are_written_and_mutants_run_against_them(rules: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests.yml"
    assert f" tests written to {tests}" in prove(rules, "--write-tests", tests).output
    found = json.loads(prove(rules, "--tests", tests, "--json").stdout)
    down, typo = found["mutation"]
    assert (down["alert"], down["tests"], down["detected"]) == ("Down", 0, 0)
    assert typo["tests"] >= 2
    assert 0 < typo["detected"] <= typo["mutants"]
    assert found["witnesses"][1]["series"][0]["series"] == "web_request_total"


def test_without_promtool_the_rules_are_read_only(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> Promtool:
        raise MissingProgramError("promtool is not on the PATH")

    monkeypatch.setattr(Promtool, "find", classmethod(missing))
    done = prove(rules)
    assert "no alert was run, see --static: promtool is not on the PATH" in done.stderr
    assert "condition/never" in done.stdout
    assert prove(rules, "--mutants").output.splitlines()[-1] == "Error: promtool is not on the PATH"

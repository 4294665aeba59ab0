"""Forms of a report: SARIF as the standard defines it, and a page that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Final

import jsonschema_rs
import pytest
from rich.console import Console

from tallow.stack.commands.output.findings import show_findings
from tallow.stack.prove.checks.catalog import SEVERITY_OF
from tallow.stack.prove.output.html import as_html
from tallow.stack.prove.output.sarif import as_json, as_sarif
from tallow.stack.prove.output.sparkline import sparkline
from tallow.stack.prove.report import Report, add_witnesses, check_rules, description
from tallow.stack.prove.rule_file import LoadedRule, parse_rules
from tallow.stack.prove.witnesses.findings import WITNESS_CHECKS
from tallow.stack.prove.witnesses.witness import InputSeries, Obstacle, ObstacleKind, Span, Witness

SCHEMA: Final = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text("utf-8"))
"""Source: OASIS, SARIF 2.1.0, errata 01, sarif-schema-2.1.0.json."""
RULES: Final = """\
groups:
- name: web
  rules:
  - {alert: "<b>Down & out</b>", expr: 'count(up{job="<i>"}) == 0', for: 5m, annotations: {summary: a}}
  - {alert: Short, expr: 'rate(errors_total[1m]) > 5', for: 5m, annotations: {summary: a}}
  - {alert: Fine, expr: up == 0, for: 5m, annotations: {summary: a}}
  - {alert: Quick, expr: up < 1, annotations: {summary: a}}
"""


@pytest.fixture
def rules() -> list[LoadedRule]:
    return parse_rules(RULES, "rules/a b.yml")


@pytest.fixture
def report(rules: list[LoadedRule]) -> Report:
    return check_rules(rules)


def test_sarif_is_valid(report: Report) -> None:
    text = as_sarif(report)
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [str(error) for error in validator.iter_errors(json.loads(text))] == []
    [run] = json.loads(text)["runs"]
    assert {result["level"] for result in run["results"]} == {"error", "warning", "note"}
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert place == {"uri": "rules/a%20b.yml"}


def test_the_schema_finds_faults(report: Report) -> None:
    document = json.loads(as_sarif(report))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema_rs.validator_for(SCHEMA).is_valid(document)


def test_json_has_the_totals(report: Report) -> None:
    found = json.loads(as_json(report))
    assert (found["rules"], found["flagged"], found["clean"]) == (4, 2, 1)


@pytest.mark.parametrize("name", [*SEVERITY_OF, *WITNESS_CHECKS])
def test_every_check_has_a_description(name: str) -> None:
    assert description(name).endswith(".")


class _Elements(HTMLParser):
    """Collects elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_loads_and_runs_nothing(report: Report, rules: list[LoadedRule]) -> None:
    page = as_html(report, rules)
    elements = _Elements(page)
    assert not {"script", "link", "img", "iframe", "b-i"} & set(elements.tags)
    names = {name for name, _ in elements.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "src", "href")}
    css = re.search("<style>(.*)</style>", page, re.DOTALL)
    policy = re.search('Content-Security-Policy" content="([^"]+)"', page)
    assert css is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "@import" not in css[1]
    assert "url(" not in css[1]


def test_markup_of_rules_stays_text(report: Report, rules: list[LoadedRule]) -> None:
    elements = _Elements(as_html(report, rules))
    assert "<b>Down & out</b>" in elements.texts
    assert 'count(up{job="<i>"}) == 0' in elements.texts
    assert "i" not in elements.tags


def witness(rule: LoadedRule) -> Witness:
    def series(*spans: Span) -> tuple[InputSeries, ...]:
        return (InputSeries({"__name__": "errors_total", "job": "a"}, spans),)

    return Witness(rule, series(Span(10, 0, 9), Span(5, None)), 540, series(Span(15, 0, 4)))


def found_for(rules: list[LoadedRule]) -> tuple[Witness, ...]:
    """Witnesses of two alerts, and one alert without."""
    nothing = Witness(rules[0], obstacle=Obstacle("prevented", "count(<up>) == 0"))
    return witness(rules[1]), witness(rules[2]), nothing


def test_an_alert_without_a_witness_is_a_finding(report: Report, rules: list[LoadedRule]) -> None:
    obstacles: dict[ObstacleKind, str] = {
        "never": "error",
        "prevented": "warning",
        "budget": "warning",
        "unconfirmed": "warning",
        "limit": "note",
    }
    for kind, severity in obstacles.items():
        one = Witness(rules[2], obstacle=Obstacle(kind, "up == 0"))
        found = add_witnesses(report, [one], rules)
        [added] = set(found.findings) - set(report.findings)
        assert (added.line, added.severity) == (6, severity)
        assert "up == 0" in added.message
        assert found.clean == report.clean - 1
        document = json.loads(as_sarif(found))
        assert jsonschema_rs.validator_for(SCHEMA).is_valid(document)
        [run] = document["runs"]
        [result] = [each for each in run["results"] if each["ruleId"].startswith("witness/")]
        assert result["level"] == severity
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    unparsed = Witness(rules[2], obstacle=Obstacle("unparsed", "not PromQL"))
    assert add_witnesses(report, [unparsed], rules).findings == report.findings


def test_a_run_that_only_reads_has_no_checks_of_witnesses(report: Report) -> None:
    [run] = json.loads(as_sarif(report))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(SEVERITY_OF)


def test_a_column_of_the_table_shows_the_witnesses(report: Report, rules: list[LoadedRule]) -> None:
    loud = replace(witness(rules[2]), quiet_series=None)
    shown = add_witnesses(report, [found_for(rules)[2], witness(rules[1]), loud], rules)
    for width in (60, 140):
        lines = shown_table(shown, width)
        assert max(map(len, lines)) <= width
        assert any("witness" in line for line in lines)
        assert any("Short" in line and "fires in 9m" in line for line in lines)
        assert any("Fine" in line and "fires in 9m, never quiet" in line for line in lines)
        assert any("<b>Down & out</b>" in line and "not found" in line for line in lines)
    assert not any("witness" in line for line in shown_table(report, 140))


def test_the_table_leaves_out_many_alerts_without_findings(report: Report, rules: list[LoadedRule]) -> None:
    many = [witness(replace(rules[2], line=line)) for line in range(100, 250)]
    lines = shown_table(add_witnesses(report, many, rules), 140)
    assert "150 further alerts seen firing, without findings" in [line.strip() for line in lines]
    assert len(lines) < 40


def shown_table(report: Report, width: int) -> list[str]:
    output = StringIO()
    show_findings(Console(file=output, width=width, force_terminal=True, color_system=None), report)
    return output.getvalue().splitlines()


def test_witnesses_are_drawn(report: Report, rules: list[LoadedRule]) -> None:
    page = as_html(add_witnesses(report, found_for(rules), rules), rules)
    elements = _Elements(page)
    assert page.count('class="sparkline"') == 2
    assert "Fires after 9m. Dashed: just below the condition." in elements.texts
    assert "no firing input found: count(<up>) == 0 " in elements.texts
    assert "2 / 3" in elements.texts


def test_a_sparkline_has_gaps_and_a_common_scale() -> None:
    chart = sparkline([0, 10, None, 10, float("inf")], [0, 5, float("nan"), 5, 5], 3, 'a "b"')
    points = dict(re.findall('<polyline class="(\\w+)" points="([^"]+)"', chart))
    assert chart.count("<polyline") == 4
    assert points["firing"].split()[-1].endswith(",3.0")
    assert points["quiet"].split()[-1].endswith(",20.0")
    assert 'aria-label="a &quot;b&quot;"' in chart
    assert "<polyline" not in sparkline([], [], None, "")


def test_the_table_of_a_terminal_fits(report: Report) -> None:
    for width in (60, 140):
        lines = shown_table(report, width)
        assert max(map(len, lines)) <= width
        assert any("<b>Down & out</b>" in line for line in lines)
        assert "4 rules  1 error  1 warning  1 note  1 without findings" in lines

"""Configurations of Alertmanager: what is read of them, and where alerts go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.stack.alerts import files
from tallow.stack.prove.alertmanager.config import AlertmanagerConfigError, load_config, parse_config
from tallow.stack.prove.alertmanager.matchers import MatcherSyntaxError, parse_matchers
from tallow.stack.prove.checks.model import ParsedRule
from tallow.stack.prove.checks.routing.model import RoutedAlert, Routing
from tallow.stack.prove.expression import parse
from tallow.stack.prove.report import check_rules
from tallow.stack.prove.rule_file import LoadedRule, parse_rules

CONFIG = """\
route:
  receiver: default
  group_by: [alertname]
  group_interval: 10m
  routes:
  - receiver: chat
    matchers: ['team="web"']
    continue: true
  - matchers: [severity="critical", team=~"web|db"]
    receiver: pager
    routes:
    - match: {env: prod}
      match_re: {region: eu-.*}
      receiver: night
  - receiver: last
    matchers: [ '{severity="critical"}' ]
receivers:
- name: default
- name: chat
  slack_configs: [{channel: a}, {channel: b}]
- {name: pager, pagerduty_configs: [{routing_key: x, severity: high}]}
- name: night
- name: last
inhibit_rules:
- source_match: {severity: critical}
  target_matchers: ["severity=~\\"warning|info\\""]
  equal: [job]
"""


def test_routes_receivers_and_inhibitions() -> None:
    config = parse_config(CONFIG, "a.yml")
    chat, pager, last = config.root.routes
    assert (chat.line, chat.continues, chat.group_by, chat.group_interval) == (6, True, ("alertname",), 600)
    assert [str(each) for each in pager.routes[0].matchers] == ['env="prod"', 'region=~"eu-.*"']
    assert [str(each) for each in last.matchers] == ['severity="critical"']
    assert [receiver.integrations for receiver in config.receivers] == [0, 2, 1, 0, 0]
    [inhibition] = config.inhibit_rules
    assert [str(each) for each in (*inhibition.source, *inhibition.target)] == [
        'severity="critical"',
        'severity=~"warning|info"',
    ]


def alert(expr: str = "sum(x) > 1", **labels: str) -> RoutedAlert:
    rule = LoadedRule("rules.yml", 1, "group", "alert", "Example", expr, labels=labels)
    return RoutedAlert.of(ParsedRule(rule, parse(expr)))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (alert(severity="warning"), [("default", True)]),
        (alert(severity="critical"), [("last", True)]),
        (alert(team="web"), [("chat", True)]),
        (alert(severity="critical", team="web", env="dev"), [("chat", True), ("pager", True)]),
        (
            alert(severity="critical", team="db", env="prod", region="eu-1"),
            [("night", True)],
        ),
        # The external label `env` may be added by Prometheus.
        (alert(severity="critical", team="db", region="eu-1"), [("night", False), ("pager", False)]),
        # A label of the series decides.
        (
            alert("sum by (team) (x) > 1", severity="critical"),
            [("chat", False), ("night", False), ("pager", False), ("last", False)],
        ),
        (alert(severity="{{ $labels.level }}"), [("last", False), ("default", False)]),
    ],
)
def test_an_alert_takes_the_deepest_matching_routes(
    sent: RoutedAlert, expected: list[tuple[str, bool]]
) -> None:
    routing = Routing(parse_config(CONFIG, "a.yml"), [sent])
    assert [(route.receiver, certain) for route, certain in routing.routes(sent)] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yml: no route"),
        ("groups: []", "a.yml: no route"),
        ("a: b: c", "a.yml:1: not YAML"),
        ("[" * 5000, "a.yml:2: not YAML"),
        ("route:\n  receiver: x\n", "a.yml:2: there is no receiver 'x'"),
        ("route: {receiver: x}\nreceivers: [{}]", "a.yml:2: a receiver needs a name"),
        ("route: []\n", "a.yml:1: 'route' is not a mapping"),
        ("route: {receiver: x, routes: x}\n", "a.yml:1: 'routes' is not a list"),
        ("route: {receiver: x, matchers: ['x']}\n", "a.yml:1: 'x' is not a list of matchers"),
        ("route: {receiver: x, group_by: x}\n", "a.yml:1: 'group_by' is not a list of texts"),
        ("route: {receiver: x, group_interval: x}\n", "a.yml:1: 'group_interval': 'x' is not a duration"),
        ("receivers: [x]\nroute: {receiver: x}\n", "a.yml:1: 'receivers' is not a mapping"),
        ("route: {receiver: x, match: [a]}\n", "a.yml:1: 'match' is not a mapping"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(AlertmanagerConfigError) as error:
        parse_config(text, "a.yml")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AlertmanagerConfigError, match="No such file"):
        load_config(tmp_path / "none.yml")
    (tmp_path / "binary.yml").write_bytes(b"route\xff")
    with pytest.raises(AlertmanagerConfigError, match="not UTF-8"):
        load_config(tmp_path / "binary.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="b"', ['a="b"']),
        ("a = b", ['a="b"']),
        ('{a!="b", c!~"d,e"}', ['a!="b"', 'c!~"d,e"']),
        (r'"a b"="c\"d"', ['a b="c"d"']),
        ('a=""', ['a=""']),
    ],
)
def test_matchers(text: str, expected: list[str]) -> None:
    assert [str(each) for each in parse_matchers(text)] == expected


@pytest.mark.parametrize("text", ["a", "=b", 'a="b', 'a="b" c="d"'])
def test_what_is_no_matcher(text: str) -> None:
    with pytest.raises(MatcherSyntaxError, match="is not a list of matchers"):
        parse_matchers(text)


SHIPPED = sorted((Path(__file__).parents[3] / "monitoring" / "alerting").glob("alertmanager-all*.yml"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_our_own_alerts_reach_somebody(file: Path) -> None:
    rules = [rule for path, text in files().items() for rule in parse_rules(text, str(path))]
    report = check_rules(rules, alertmanager=load_config(file))
    found = {finding.check for finding in report.findings if finding.severity != "note"}
    assert found == set()

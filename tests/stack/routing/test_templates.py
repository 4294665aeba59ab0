"""Messages as Alertmanager renders them, with hostile and missing labels and annotations."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from support.programs.debian import environment, program
from tallow.stack import routing
from tallow.stack.drill.receivers.slack import displayed

pytestmark = pytest.mark.slow

Kind = Literal["text", "html"]
Render = Callable[..., str]

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U0123ABCD> <#C0123ABCD> <!subteam^S0123|team>",
    "<https://evil.example|the runbook>",
    "&lt;!channel&gt; &amp;lt;",
    "```\ncode\n``` `x`",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><b onmouseover='alert(1)'>",
    "line\r\nBcc: everybody@example.org\r\n\r\nbody",
    "\x1b]0;title\x07\x1b[2J",
    "\x00\x08\x7f\u009b31m\u2028\u2029",
    "\u202eexe.gnp\u2066\u200e\ufeff",
    "{{ .ExternalURL }} $1 ${1} %s %!d",
]
EVERY = ["subject", "text", "html", "slack.title", "slack.text", "pagerduty.summary", "pagerduty.details"]
GOOD = {
    "runbook_url": "http://localhost:9095/runbooks/X",
    "dashboard_url": "http://localhost:3001/d/x?a=1&b=2",
}


def data(
    labels: dict[str, str], annotations: dict[str, str], status: str = "firing", count: int = 1
) -> dict[str, Any]:
    """The data that Alertmanager passes to templates."""
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2026-01-01T01:00:00Z",
        "generatorURL": "http://localhost:9090/graph",
        "fingerprint": "0",
    }
    return {
        "receiver": "default",
        "status": status,
        "alerts": [alert] * count,
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "http://localhost:9093",
    }


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Render a template with amtool."""
    amtool = program("amtool")
    for name, content in routing.templates().items():
        (tmp_path / name).write_text(content)

    def run(name: str, given: dict[str, Any]) -> str:
        (tmp_path / "data.json").write_text(json.dumps(given))
        done = subprocess.run(
            [
                *(amtool, "template", "render", f"--template.glob={tmp_path / '*.tmpl'}"),
                *("--template.text", f'{{{{ template "tallow.{name}" . }}}}'),
                *(f"--template.data={tmp_path / 'data.json'}", f"--template.type={kind_of(name)}"),
            ],
            capture_output=True,
            text=True,
            env=environment(amtool),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")  # defined by amtool

    return run


def kind_of(name: str) -> Kind:
    return "html" if name == "html" else "text"


def everywhere(text: str) -> dict[str, Any]:
    """An alert with the same text in all labels and annotations."""
    labels = dict.fromkeys(("alertname", "severity", "category", "job", "instance"), text)
    annotations = dict.fromkeys(("summary", "description", "runbook_url", "dashboard_url"), text)
    return data(labels, annotations)


def is_harmless(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", EVERY)
def test_messages_contain_no_control_characters(render: Render, name: str, text: str) -> None:
    assert is_harmless(render(name, everywhere(text)))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["subject", "slack.title", "pagerduty.summary"])
def test_a_headline_is_one_line(render: Render, name: str, text: str) -> None:
    assert "\n" not in render(name, everywhere(text))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["slack.title", "slack.text"])
def test_slack_mentions_are_escaped(render: Render, name: str, text: str) -> None:
    shown = render(name, everywhere(text) | {"commonAnnotations": {"summary": text, **GOOD}})
    assert "<" not in shown
    assert "`" not in shown
    assert "[MENTION" not in displayed(shown)


def test_slack_links_show_their_address(render: Render) -> None:
    annotations = {"summary": "Tallow is down", "description": "a < b & c", **GOOD}
    shown = render("slack.text", data({"alertname": "ServiceDown", "severity": "critical"}, annotations))
    assert "a &lt; b &amp; c" in shown
    assert re.findall("<[^>]*>", shown) == [
        f"<{GOOD['runbook_url']}|Runbook>",
        "<http://localhost:3001/d/x?a=1&amp;b=2|Dashboard>",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_html_in_mail_is_escaped(render: Render, text: str) -> None:
    plain = render("html", everywhere("harmless"))
    shown = render("html", everywhere(text))
    assert re.findall("<[^>]*>", shown) == re.findall("<[^>]*>", plain)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", " ", ""])
def test_only_web_pages_are_linked(render: Render, address: str) -> None:
    given = data({"alertname": "X"}, {"runbook_url": address, "dashboard_url": address})
    assert set(re.findall('href="([^"]*)"', render("html", given))) == {"http://localhost:9093"}
    assert "<" not in render("slack.text", given)
    for name in ("runbook", "dashboard"):
        assert render(name, given) == "http://localhost:9093"


@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_a_missing_label_leaves_no_gap(render: Render, status: str) -> None:
    given = data({}, {}, status)
    badge = status.upper()
    assert render("subject", given) == f"[{badge}] An alert without a name"
    assert render("slack.title", given) == f"[{badge}] An alert without a name"
    assert render("pagerduty.summary", given) == "An alert without a name"
    assert render("pagerduty.source", given) == "tallow"
    assert render("pagerduty.severity", given) == "info"
    for name in EVERY:
        shown = html.unescape(render(name, given))
        for gap in ("[]", "[ ]", "<no value>", "<|", "·  ·", " · \n", "Runbook    \n", "Dashboard  \n", "%!"):
            assert gap not in shown


@pytest.mark.parametrize(
    ("labels", "badge"),
    [
        ({"severity": "critical"}, "[CRITICAL]"),
        ({"severity": "warning"}, "[WARNING]"),
        ({"severity": ""}, "[FIRING]"),
        ({"severity": "\u202e"}, "[FIRING]"),
        ({"severity": "高"}, "[FIRING]"),
        ({"severity": "<!channel>"}, "[ CHANNEL ]"),
    ],
)
def test_mail_has_a_badge_of_the_severity(render: Render, labels: dict[str, str], badge: str) -> None:
    given = data(labels, {"summary": "It happens"})
    assert render("subject", given) == f"{badge} It happens"
    assert render("slack.title", given) == f"{badge} It happens"


def test_several_alerts_are_counted(render: Render) -> None:
    given = data({"severity": "info"}, {}, count=3)
    assert render("subject", given) == "[INFO \N{MULTIPLICATION SIGN}3] 3 alerts from Tallow"
    assert render("slack.title", given) == "[INFO \N{MULTIPLICATION SIGN}3] 3 alerts from Tallow"


@pytest.mark.parametrize(
    ("length", "expected"), [(1, 12), (188, 199), (189, 200), (190, 200), (191, 200), (5000, 200)]
)
@pytest.mark.parametrize("letter", ["a", "é", "🚀"])
def test_long_subject_is_cut_at_200_characters_with_an_ellipsis(
    render: Render, length: int, expected: int, letter: str
) -> None:
    subject = render("subject", data({"severity": "critical"}, {"summary": letter * length}))
    assert len(subject) == expected
    assert subject.endswith("…") == (length > 189)


def test_a_drill_is_marked(render: Render) -> None:
    given = data({"severity": "critical", "drill": "yes"}, {"summary": "Tallow is down"})
    assert render("subject", given) == "[CRITICAL] DRILL · Tallow is down"
    assert render("slack.title", given) == "[CRITICAL] DRILL · Tallow is down"


@pytest.mark.parametrize(
    ("annotation", "badge"),
    [({}, "RESOLVED"), ({"series_ended": ""}, "RESOLVED"), ({"series_ended": "yes"}, "ENDED")],
)
def test_an_alert_whose_series_ended_is_not_called_resolved(
    render: Render, annotation: dict[str, str], badge: str
) -> None:
    annotations = {"summary": "Memory is low", "description": "1.8 GB", **annotation}
    given = data({"alertname": "HighMemoryUsage", "severity": "warning"}, annotations, "resolved")
    assert render("subject", given) == f"[{badge}] Memory is low"
    assert render("slack.title", given) == f"[{badge}] Memory is low"
    for name in ("text", "html", "slack.text"):
        shown = html.unescape(render(name, given))
        assert ("because its series ended" in shown) == (badge == "ENDED")
        assert ("Not known to be resolved" in shown) == (badge == "ENDED")
        assert ("Resolved. " in shown) == (badge == "RESOLVED")


def test_a_firing_alert_does_not_say_that_it_ended(render: Render) -> None:
    given = data({"alertname": "HighMemoryUsage", "severity": "warning"}, {"series_ended": "yes"})
    assert render("subject", given) == "[WARNING] HighMemoryUsage"
    assert "ended" not in render("text", given)

"""The AlertmanagerConfig has the receivers, routes and inhibition rules of the native stack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.kubernetes.manifests import OVERLAYS, Object, objects, of_kind
from tallow.stack.durations import promql_duration
from tallow.stack.kubernetes.alertmanager_config import CHANNELS, alertmanager_configuration
from tallow.stack.kubernetes.message_templates import definitions, self_contained
from tallow.stack.kubernetes.rules import NOTICE
from tallow.stack.routing import templates
from tallow.stack.routing.config import INHIBITIONS
from tallow.stack.routing.matrix import CATEGORIES, RECEIVERS, SEVERITIES, receivers

NATIVE_CHANNEL = {
    "emailConfigs": "email",
    "slackConfigs": "slack",
    "pagerdutyConfigs": "pagerduty",
    "webhookConfigs": "heartbeat",
}
OPERATOR_FUNCTIONS = {"and", "or", "not", "len", "index", "print", "printf", "eq", "ne"}
"""The functions of Go's templates, which the operator knows; Alertmanager has further ones."""


def config(overlay: str = OVERLAYS[0]) -> Object:
    spec: Object = of_kind("AlertmanagerConfig", objects(overlay))["tallow"]["spec"]
    return spec


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def matches(matcher: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    value = labels.get(matcher["name"], "")
    found = (
        value == matcher["value"]
        if matcher["matchType"] in ("=", "!=")
        else re.fullmatch(matcher["value"], value) is not None
    )
    return found is not matcher["matchType"].startswith("!")


def routed(labels: Mapping[str, str]) -> list[str]:
    """The receivers of an alert, by Alertmanager's algorithm."""
    found = []
    for route in config()["route"]["routes"]:
        if all(matches(matcher, labels) for matcher in route["matchers"]):
            found.append(route["receiver"])
            if not route.get("continue"):
                break
    return found or [config()["route"]["receiver"]]


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_routes_are_those_of_the_native_stack(severity: str, category: str) -> None:
    wanted = [one.name for one in receivers({"severity": severity, "category": category})]
    in_cluster = NOTICE if severity == "info" else severity
    assert routed({"severity": in_cluster, "category": category}) == wanted
    assert routed({"severity": severity, "category": category}) == wanted


def test_groups_and_times_are_those_of_the_receivers() -> None:
    root = config()["route"]
    found = {route["receiver"]: route for route in (root, *root["routes"])}
    for receiver in RECEIVERS:
        route = found[receiver.name]
        assert route["groupWait"] == promql_duration(receiver.group_wait)
        assert route["groupInterval"] == promql_duration(receiver.group_interval)
        assert route["repeatInterval"] == promql_duration(receiver.repeat_interval)
        assert tuple(route.get("groupBy", root["groupBy"])) == receiver.group_by


def test_inhibition_rules_are_those_of_the_native_stack() -> None:
    def text(matcher: Mapping[str, str]) -> str:
        return f'{matcher["name"]}{matcher["matchType"]}"{matcher["value"]}"'

    rules = [
        {
            "source_matchers": [text(one) for one in rule["sourceMatch"]],
            "target_matchers": [text(one) for one in rule["targetMatch"]],
            "equal": rule["equal"],
        }
        for rule in config()["inhibitRules"]
    ]
    assert rules == list(INHIBITIONS)


def test_watchdog_reaches_the_heartbeat() -> None:
    assert routed({"alertname": "Watchdog", "severity": NOTICE}) == ["heartbeat"]


def test_receivers_have_the_channels_of_the_native_stack() -> None:
    every = {one["name"]: one for one in alertmanager_configuration()["spec"]["receivers"]}
    assert list(every) == [one.name for one in RECEIVERS]
    for receiver in RECEIVERS:
        channels = tuple(NATIVE_CHANNEL[key] for key in every[receiver.name] if key != "name")
        assert channels == receiver.channels


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_without_components_every_receiver_notifies(overlay: str) -> None:
    for receiver in config(overlay)["receivers"]:
        assert receiver.keys() - {"name"}, f"{receiver['name']} notifies nobody"
        assert not receiver.keys() & set(CHANNELS)


def test_messages_call_no_template_that_they_do_not_define() -> None:
    for text in strings(alertmanager_configuration()["spec"]):
        called = set(re.findall(r'\{\{-? ?template "([^"]+)"', text))
        assert called == set(re.findall(r'\{\{-? ?define "([^"]+)"', text))


def test_definitions_are_those_of_the_template_files() -> None:
    text = "".join(templates().values())
    assert len(definitions()) == len(re.findall(r'\{\{-? define "', text)) > 20
    for name, definition in definitions().items():
        assert definition in text, name
        assert definition.rstrip().endswith("end }}"), name


def test_a_definition_is_repeated_once() -> None:
    text = self_contained('{{ template "tallow.text" . }}{{ template "tallow.line" . }}')
    assert text.count('define "tallow.line"') == 1


def test_addresses_use_no_function_that_the_operator_does_not_know() -> None:
    receivers_with = [
        one for one in alertmanager_configuration()["spec"]["receivers"] if "slackConfigs" in one
    ]
    addresses = [one["slackConfigs"][0]["titleLink"] for one in receivers_with]
    for receiver in alertmanager_configuration()["spec"]["receivers"]:
        for one in receiver.get("pagerdutyConfigs", []):
            addresses += [one["clientURL"], *(link["href"] for link in one["pagerDutyLinkConfigs"])]
    assert len(addresses) == 5
    for address in addresses:
        words = set(re.findall(r"(?<![.\w])[a-z]\w+", " ".join(re.findall(r"\{\{(.*?)\}\}", address))))
        assert words <= OPERATOR_FUNCTIONS | {"with", "else", "end", "if"}, address


def test_no_secret_is_in_the_object() -> None:
    assert "in a Secret" not in json.dumps(alertmanager_configuration())

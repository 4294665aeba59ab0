"""The AlertmanagerConfig: receivers, routes and inhibition rules of ``alertmanager.yml`` for the operator.

It is made from the same configuration file as every other deployment's, key by key. Differences:

- Secrets are keys of a Secret instead of files. The operator refuses the whole object if one is missing:
  the channels Slack and PagerDuty are components of their own.
- Messages contain the definitions of their templates (see :mod:`.message_templates`).
- The mail server is named in each receiver, because the global configuration is not Tallow's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, Final

import yaml
from pydantic import SecretStr

from tallow.stack.deployment import KUBERNETES
from tallow.stack.kubernetes.heartbeat import (
    PAGERDUTY_KEY,
    PASSWORD_KEY,
    SLACK_KEY,
    SMTP_PASSWORD_KEY,
)
from tallow.stack.kubernetes.message_templates import URLS, self_contained
from tallow.stack.kubernetes.objects import ALERTING_SECRET, Object, metadata
from tallow.stack.kubernetes.rules import NOTICE
from tallow.stack.routing import AlertSettings, alertmanager_config

USER_KEY: Final = "monitoring-user"
"""The key with the user name of the heartbeat checker: always ``tallow``."""
PLACEHOLDERS: Final = AlertSettings.model_construct(
    alert_email_default="operations@example.org",
    smtp_host="smtp.example.org",
    smtp_from="tallow@example.org",
    smtp_user="tallow@example.org",
    smtp_password=SecretStr("in a Secret"),
    slack_webhook_url=SecretStr("in a Secret"),
    pagerduty_routing_key=SecretStr("in a Secret"),
)
"""The values that the settings of the overlay replace."""

_MATCHER: Final = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_CALL: Final = re.compile(r'\{\{ template "([\w.]+)" \. \}\}')

CHANNELS: Final = ("slackConfigs", "pagerdutyConfigs")
"""The channels that are components of their own."""


def alertmanager_configuration() -> Object:
    """The AlertmanagerConfig with every channel."""
    config = _native_configuration()
    return {
        "apiVersion": "monitoring.coreos.com/v1alpha1",
        "kind": "AlertmanagerConfig",
        "metadata": metadata("tallow", "monitoring"),
        "spec": {
            "route": _route(config["route"]),
            "inhibitRules": [_inhibit_rule(rule) for rule in config["inhibit_rules"]],
            "receivers": [_receiver(receiver, config["global"]) for receiver in config["receivers"]],
        },
    }


def without_optional_channels() -> Object:
    """The AlertmanagerConfig with mail and heartbeat only."""
    document = alertmanager_configuration()
    for receiver in document["spec"]["receivers"]:
        for channel in CHANNELS:
            receiver.pop(channel, None)
    return document


def channel_patch(channel: str) -> list[Object]:
    """The JSON patch (RFC 6902) that adds a channel to the receivers that have it.

    >>> [step["path"] for step in channel_patch("pagerdutyConfigs")]
    ['/spec/receivers/1/pagerdutyConfigs']
    """
    return [
        {"op": "add", "path": f"/spec/receivers/{number}/{channel}", "value": receiver[channel]}
        for number, receiver in enumerate(alertmanager_configuration()["spec"]["receivers"])
        if channel in receiver
    ]


def _native_configuration() -> dict[str, Any]:
    text = alertmanager_config(
        PLACEHOLDERS, secrets_dir=PurePosixPath("/"), template_glob="", deployment=KUBERNETES
    )
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _route(route: dict[str, Any]) -> Object:
    timing = {
        "groupWait": route["group_wait"],
        "groupInterval": route["group_interval"],
        "repeatInterval": route["repeat_interval"],
    }
    result: Object = {"receiver": route["receiver"]}
    if "matchers" in route:
        result["matchers"] = [_matcher(matcher) for matcher in route["matchers"]]
    if route.get("continue"):
        result["continue"] = True
    if "group_by" in route:
        result["groupBy"] = route["group_by"]
    if "routes" in route:
        return {**result, **timing, "routes": [_route(child) for child in route["routes"]]}
    return result | timing


def _matcher(text: str) -> Object:
    found = _MATCHER.fullmatch(text)
    assert found is not None, text
    name, operator, value = found.groups()
    if name == "severity" and value == "info":
        operator, value = "=~", f"info|{NOTICE}"
    return {"name": name, "value": value, "matchType": operator}


def _inhibit_rule(rule: dict[str, Any]) -> Object:
    return {
        "sourceMatch": [_matcher(matcher) for matcher in rule["source_matchers"]],
        "targetMatch": [_matcher(matcher) for matcher in rule["target_matchers"]],
        "equal": rule["equal"],
    }


def _receiver(receiver: dict[str, Any], mail: dict[str, Any]) -> Object:
    builders: dict[str, tuple[str, Callable[[dict[str, Any]], Object]]] = {
        "email_configs": ("emailConfigs", lambda one: _email(one, mail)),
        "slack_configs": ("slackConfigs", _slack),
        "pagerduty_configs": ("pagerdutyConfigs", _pagerduty),
        "webhook_configs": ("webhookConfigs", _webhook),
    }
    result: Object = {"name": receiver["name"]}
    for key, integrations in receiver.items():
        if key != "name":
            name, build = builders[key]
            result[name] = [build(one) for one in integrations]
    return result


def _email(config: dict[str, Any], mail: dict[str, Any]) -> Object:
    return {
        "to": config["to"],
        "from": mail["smtp_from"],
        "smarthost": mail["smtp_smarthost"],
        "authUsername": mail["smtp_auth_username"],
        "authPassword": _secret(SMTP_PASSWORD_KEY),
        "requireTLS": mail["smtp_require_tls"],
        "sendResolved": config["send_resolved"],
        "headers": [
            {"key": name, "value": self_contained(value)} for name, value in config["headers"].items()
        ],
        "html": self_contained(config["html"]),
        "text": self_contained(config["text"]),
    }


def _slack(config: dict[str, Any]) -> Object:
    texts = {name: self_contained(config[name]) for name in ("color", "title", "text", "fallback")}
    return {
        "apiURL": _secret(SLACK_KEY),
        "sendResolved": config["send_resolved"],
        "titleLink": _url(config["title_link"]),
        "mrkdwnIn": config["mrkdwn_in"],
        **texts,
    }


def _pagerduty(config: dict[str, Any]) -> Object:
    texts = ("severity", "description", "class", "component", "group", "client")
    return {
        "routingKey": _secret(PAGERDUTY_KEY),
        "sendResolved": config["send_resolved"],
        **{name: self_contained(config[name]) for name in texts},
        "clientURL": _url(config["client_url"]),
        "pagerDutyLinkConfigs": [
            {"href": _url(link["href"]), "alt": link["text"]} for link in config["links"]
        ],
        "details": [
            {"key": name, "value": self_contained(value)} for name, value in config["details"].items()
        ],
    }


def _webhook(config: dict[str, Any]) -> Object:
    login = {"username": _secret(USER_KEY), "password": _secret(PASSWORD_KEY)}
    return {
        "url": config["url"],
        "sendResolved": config["send_resolved"],
        "maxAlerts": config["max_alerts"],
        "httpConfig": {"basicAuth": login},
    }


def _url(template: str) -> str:
    found = _CALL.fullmatch(template)
    assert found is not None, template
    return URLS[found[1]]


def _secret(key: str) -> Object:
    return {"name": ALERTING_SECRET, "key": key}

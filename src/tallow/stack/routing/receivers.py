"""The integrations of Alertmanager's receivers, with secrets in files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from tallow.stack.prometheus import USER
from tallow.stack.routing.matrix import Channel, Receiver
from tallow.stack.routing.settings import AlertSettings

SMTP_PASSWORD_FILE = "smtp_password"  # noqa: S105 - a file name
SLACK_URL_FILE = "slack_webhook_url"
PAGERDUTY_KEY_FILE = "pagerduty_routing_key"
SECRET_FILES = (SMTP_PASSWORD_FILE, SLACK_URL_FILE, PAGERDUTY_KEY_FILE)
"""The names of all files that :func:`secret_files` may return."""
HEARTBEAT_PATH = "/heartbeat"
"""The path of the heartbeat checker that receives Watchdog."""

_REQUIRED_SETTINGS: dict[Channel, str] = {"slack": "SLACK_WEBHOOK_URL", "pagerduty": "PAGERDUTY_ROUTING_KEY"}

Config = dict[str, object]


@dataclass(frozen=True, slots=True)
class IntegrationContext:
    """What integrations need besides their receiver."""

    settings: AlertSettings
    secrets_dir: PurePath
    password_file: PurePath
    """The file with the monitoring password."""
    heartbeat: str
    """The address that receives Watchdog."""
    pagerduty: str | None = None
    """The address of another Events API than PagerDuty's; drills use a fake receiver."""


def integrations(receiver: Receiver, context: IntegrationContext) -> Config:
    """The receiver as Alertmanager's configuration, without channels whose secret is missing."""
    absent = missing_settings(receiver, context.settings)
    built = (_BUILDERS[channel](receiver, context) for channel in receiver.channels if channel not in absent)
    return {"name": receiver.name} | {key: value for part in built for key, value in part.items()}


def missing_settings(receiver: Receiver, settings: AlertSettings) -> dict[Channel, str]:
    """The channels that the receiver lacks, with the setting that each requires."""
    secrets = secret_files(settings)
    present = {"slack": SLACK_URL_FILE in secrets, "pagerduty": PAGERDUTY_KEY_FILE in secrets}
    return {
        channel: _REQUIRED_SETTINGS[channel]
        for channel in receiver.channels
        if not present.get(channel, True)
    }


def secret_files(settings: AlertSettings) -> dict[str, str]:
    """The files of the secrets folder, content by name; to be written with mode 0600.

    The contents have no trailing newline, which Alertmanager trims only from 0.27 on.

    >>> secret_files(AlertSettings.model_construct())
    {}
    """
    secrets = {
        SMTP_PASSWORD_FILE: settings.smtp_password if settings.smtp_host else None,
        SLACK_URL_FILE: settings.slack_webhook_url,
        PAGERDUTY_KEY_FILE: settings.pagerduty_routing_key,
    }
    return {name: secret.get_secret_value() for name, secret in secrets.items() if secret}


def _email(receiver: Receiver, context: IntegrationContext) -> Config:
    return {
        "email_configs": [
            {
                "to": context.settings.email(receiver.audience),
                "send_resolved": True,
                "headers": {"Subject": '{{ template "tallow.subject" . }}'},
                "html": '{{ template "tallow.html" . }}',
                "text": '{{ template "tallow.text" . }}',
            }
        ]
    }


def _slack(_: Receiver, context: IntegrationContext) -> Config:
    return {
        "slack_configs": [
            {
                "api_url_file": str(context.secrets_dir / SLACK_URL_FILE),
                "send_resolved": True,
                "color": '{{ template "tallow.color" . }}',
                "title": '{{ template "tallow.slack.title" . }}',
                "title_link": '{{ template "tallow.runbook" . }}',
                "text": '{{ template "tallow.slack.text" . }}',
                "fallback": '{{ template "tallow.slack.title" . }}',
                "mrkdwn_in": ["text"],
            }
        ]
    }


def _pagerduty(_: Receiver, context: IntegrationContext) -> Config:
    address = {"url": context.pagerduty} if context.pagerduty else {}
    return {
        "pagerduty_configs": [
            {
                "routing_key_file": str(context.secrets_dir / PAGERDUTY_KEY_FILE),
                **address,
                "send_resolved": True,
                "severity": '{{ template "tallow.pagerduty.severity" . }}',
                "description": '{{ template "tallow.pagerduty.summary" . }}',
                "class": '{{ template "tallow.line" .CommonLabels.category }}',
                "component": "tallow",
                "group": '{{ template "tallow.line" .CommonLabels.job }}',
                "client": '{{ template "tallow.pagerduty.source" . }}',
                "client_url": '{{ template "tallow.dashboard" . }}',
                "links": [
                    {"href": '{{ template "tallow.runbook" . }}', "text": "Runbook"},
                    {"href": '{{ template "tallow.dashboard" . }}', "text": "Dashboard"},
                ],
                "details": {"description": '{{ template "tallow.pagerduty.details" . }}'},
            }
        ]
    }


def _heartbeat(_: Receiver, context: IntegrationContext) -> Config:
    login = {"username": USER, "password_file": str(context.password_file)}
    return {
        "webhook_configs": [
            {
                "url": context.heartbeat,
                "http_config": {"basic_auth": login},
                "send_resolved": True,
                "max_alerts": 1,
            }
        ]
    }


_BUILDERS: dict[Channel, Callable[[Receiver, IntegrationContext], Config]] = {
    "email": _email,
    "slack": _slack,
    "pagerduty": _pagerduty,
    "heartbeat": _heartbeat,
}

"""Routing of alerts: receivers, routes, inhibition, settings and message templates of Alertmanager."""

from __future__ import annotations

from importlib import resources
from pathlib import PurePosixPath

from pydantic import SecretStr

from tallow.stack.routing.config import alertmanager_config, notification_gaps
from tallow.stack.routing.receivers import secret_files
from tallow.stack.routing.settings import AlertSettings

__all__ = [
    "AlertSettings",
    "alertmanager_config",
    "files",
    "notification_gaps",
    "secret_files",
    "templates",
]

_FOLDER = PurePosixPath("monitoring/alerting")
_INSTALLED = PurePosixPath("/etc/alertmanager")
"""The folder that the committed files are written for: Alertmanager's default."""

_NO_CHANNELS = AlertSettings.model_construct()
_ALL_CHANNELS = AlertSettings.model_construct(
    alert_email_default="operations@example.org",
    alert_email_critical="on-call@example.org",
    alert_email_security="security@example.org",
    smtp_host="smtp.example.org",
    smtp_from="tallow@example.org",
    smtp_user="tallow@example.org",
    smtp_password=SecretStr("in a file"),
    slack_webhook_url=SecretStr("in a file"),
    pagerduty_routing_key=SecretStr("in a file"),
    heartbeat_url=SecretStr("in a file"),
)
"""Constructed rather than loaded, so that the environment does not affect committed files."""


def templates() -> dict[str, str]:
    """The message templates, content by file name.

    >>> list(templates())
    ['tallow.tmpl']
    """
    folder = resources.files(__package__) / "templates"
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.is_file()}


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for the routing: content by repository path.

    ``alertmanager.yml`` is the configuration without any setting; ``alertmanager-all-channels.yml`` has
    every channel, for installations without `tallow up`.

    >>> PurePosixPath("monitoring/alerting/alertmanager.yml") in files()
    True
    """
    configs = {"alertmanager.yml": _NO_CHANNELS, "alertmanager-all-channels.yml": _ALL_CHANNELS}
    return {
        **{
            _FOLDER / name: alertmanager_config(
                settings,
                secrets_dir=_INSTALLED / "secrets",
                template_glob=str(_INSTALLED / "templates" / "*.tmpl"),
            )
            for name, settings in configs.items()
        },
        **{_FOLDER / "templates" / name: content for name, content in templates().items()},
    }

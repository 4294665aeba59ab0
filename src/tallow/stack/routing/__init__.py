"""Where alerts go: receivers, matrix, inhibition, settings and message templates of Alertmanager."""

from __future__ import annotations

from importlib import resources
from pathlib import PurePosixPath

from pydantic import SecretStr

from tallow.stack.routing.config import alertmanager_config, describe_gaps
from tallow.stack.routing.receivers import secret_files
from tallow.stack.routing.settings import AlertSettings

__all__ = [
    "AlertSettings",
    "alertmanager_config",
    "describe_gaps",
    "files",
    "secret_files",
    "templates",
]

_FOLDER = PurePosixPath("monitoring/alerting")
_INSTALLED = PurePosixPath("/etc/alertmanager")
"""Where the committed files expect to be put: Alertmanager's usual folder."""

_NOTHING = AlertSettings.model_construct()
_EVERYTHING = AlertSettings.model_construct(
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
"""Constructed, not read: the operator's environment has no say in committed files."""


def templates() -> dict[str, str]:
    """The message templates: file name to content."""
    folder = resources.files(__package__) / "templates"
    return {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.is_file()}


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for the routing: repository path to content.

    ``alertmanager.yml`` is what runs while nothing is set; ``alertmanager-all-channels.yml`` shows every
    channel wired, to be taken by hand where `tallow up` is not used.
    """
    configs = {"alertmanager.yml": _NOTHING, "alertmanager-all-channels.yml": _EVERYTHING}
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

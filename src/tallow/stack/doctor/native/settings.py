"""Settings of the operator: whether they are valid and in use, and whom alerts reach."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.doctor.model import Check, Problem
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.reload.candidate import validate
from tallow.stack.routing.config import requires_tls
from tallow.stack.routing.matrix import RECEIVERS
from tallow.stack.routing.receivers import SMTP_PASSWORD_FILE, missing_settings, secret_files

_CHANNELS: Final = {"slack": "a Slack webhook", "pagerduty": "a PagerDuty key"}


def _settings(installation: Installation) -> Iterator[Problem]:
    running = installation.is_running
    reload = installation.command("reload" if running else "up")
    try:
        candidate = validate(
            installation.home, installation.options, os.environ, lambda _: None, running=running
        )
    except BadSettingError as error:
        yield Problem(str(error), f"correct it, then: {reload}")
        return
    if running and (changed := candidate.changed_variables(installation.home)):
        yield Problem(f"changed since the stack read its settings: {', '.join(changed)}", reload, "warning")
    for note in candidate.notes:
        yield Problem(note, "remove the variable where it has no effect", "warning")


def _receivers(installation: Installation) -> Iterator[Problem]:
    settings = installation.settings.alerts
    remedy = "set {} in .env, then: " + installation.command("reload")
    pages = secret_files(settings).keys() - {SMTP_PASSWORD_FILE}
    if not settings.smtp_host:
        yield Problem(
            "no e-mail leaves this machine: SMTP_HOST is not set",
            remedy.format("SMTP_HOST and ALERT_EMAIL_DEFAULT"),
            "warning",
        )
    if not pages:
        yield Problem(
            "critical alerts reach nobody by telephone or chat: neither PagerDuty nor Slack is set",
            remedy.format("PAGERDUTY_ROUTING_KEY_FILE or SLACK_WEBHOOK_URL_FILE"),
            "warning",
        )
    for receiver in RECEIVERS if pages else ():
        for channel, setting in missing_settings(receiver, settings).items():
            yield Problem(
                f"{receiver.name} lacks {_CHANNELS[channel]}: {setting} is not set",
                remedy.format(f"{setting}_FILE"),
                "warning",
            )


def _heartbeat_target(installation: Installation) -> Iterator[Problem]:
    if not installation.settings.alerts.heartbeat_url:
        yield Problem(
            "nobody notices when this whole machine fails: HEARTBEAT_URL is not set",
            f"set HEARTBEAT_URL to an external dead man's switch, then: {installation.command('reload')}",
            "warning",
        )


def _mail_encryption(installation: Installation) -> Iterator[Problem]:
    settings = installation.settings.alerts
    smarthost = settings.smarthost
    if smarthost and settings.smtp_user and not requires_tls(smarthost):
        yield Problem(
            f"the password for {smarthost} is sent without encryption",
            "use the mail server's name instead of an address of this machine, or leave SMTP_USER out",
            "warning",
        )


CHECKS: Final = (
    Check("settings", "Every setting is valid and in use", _settings),
    Check("receivers", "Alerts leave this machine, by mail and by telephone or chat", _receivers),
    Check("heartbeat-target", "An external service notices when this machine fails", _heartbeat_target),
    Check("mail-encryption", "The mail server gets its password encrypted", _mail_encryption),
)

"""The checker's own channels: SMTP, Slack and PagerDuty, without Alertmanager."""

from __future__ import annotations

import smtplib
import ssl
from abc import ABC, abstractmethod
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.integrations.request_errors import describe_error, describe_response
from tallow.monitoring.lifecycle.threads import run_in_thread
from tallow.stack.heartbeat.message import HeartbeatMessage
from tallow.stack.password_file import PasswordFileError, read_password
from tallow.stack.prometheus import USER
from tallow.stack.routing import AlertSettings
from tallow.stack.routing.config import requires_tls

TIMEOUT_S: Final = 10.0
IMPLICIT_TLS_PORT: Final = 465
PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"
_COLOURS: Final = {"critical": "#b3261e", "warning": "#a15c00"}
_GREEN: Final = "#2f7d4f"
_ESCAPES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "'"))


class UndeliveredError(Exception):
    """A channel did not deliver a message; a short reason without addresses and secrets."""


class Channel(ABC):
    """A channel that delivers messages."""

    name: str

    @abstractmethod
    async def send(self, message: HeartbeatMessage) -> None:
        """Deliver a message.

        Raises:
            UndeliveredError: the message was not delivered.
        """


@dataclass(frozen=True, slots=True)
class Email(Channel):
    """Mail to the recipients of critical alerts; to the stack's mailbox if no SMTP server is set.

    Attributes:
        mailbox: ``host:port`` of the mailbox.
        password_file: the file with the mailbox's password.
    """

    settings: AlertSettings
    mailbox: str
    password_file: Path
    name: str = "email"

    async def send(self, message: HeartbeatMessage) -> None:
        try:
            await run_in_thread(partial(self._send, message))
        except PasswordFileError as error:
            raise UndeliveredError(str(error)) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(_mail_problem(error)) from None

    def _send(self, message: HeartbeatMessage) -> None:
        own = self.settings
        smarthost = own.smarthost or self.mailbox
        host, _, port = smarthost.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        context = ssl.create_default_context()
        implicit = int(port) == IMPLICIT_TLS_PORT
        client = (
            smtplib.SMTP_SSL(host, int(port), timeout=TIMEOUT_S, context=context)
            if implicit
            else smtplib.SMTP(host, int(port), timeout=TIMEOUT_S)
        )
        with closing(client):
            if not implicit and requires_tls(smarthost):
                client.starttls(context=context)
            if (login := self._login()) and (self.settings.smtp_host or _offers_login(client)):
                client.login(*login)
            client.send_message(self._email(message))
            with suppress(OSError, smtplib.SMTPException):  # the message is already delivered
                client.quit()

    def _login(self) -> tuple[str, str] | None:
        own = self.settings
        if not own.smtp_host:
            return USER, read_password(self.password_file)
        if own.smtp_user and own.smtp_password:
            return own.smtp_user, own.smtp_password.get_secret_value()
        return None

    def _email(self, message: HeartbeatMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = message.subject
        mail["From"], mail["To"] = self.settings.sender, self.settings.email("critical")
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="tallow.localhost")
        mail.set_content(
            f"{message.text}\n\nRunbook    {message.runbook}\nDashboard  {message.dashboard}\n\n"
            "Sent by the heartbeat checker without Alertmanager\n"
        )
        return mail


def _offers_login(client: smtplib.SMTP) -> bool:
    """Whether a server offers a login. Compose's mailbox, which only the monitoring reaches, offers none."""
    client.ehlo_or_helo_if_needed()
    return client.has_extn("auth")


@dataclass(frozen=True, slots=True)
class Slack(Channel):
    """Slack, by an incoming webhook."""

    url: str
    name: str = "slack"

    async def send(self, message: HeartbeatMessage) -> None:
        attachment = {
            "color": _COLOURS[message.severity] if message.firing else _GREEN,
            "title": _escape(message.subject),
            "title_link": message.runbook,
            "fallback": _escape(message.subject),
            "text": f"{_escape(message.text)}\n<{message.runbook}|Runbook> · <{message.dashboard}|Dashboard>",
            "mrkdwn_in": ["text"],
        }
        await _post(self.url, {"attachments": [attachment]})


@dataclass(frozen=True, slots=True)
class PagerDuty(Channel):
    """PagerDuty's Events API v2; one incident with a constant key."""

    key: str
    url: str = PAGERDUTY_URL
    name: str = "pagerduty"

    async def send(self, message: HeartbeatMessage) -> None:
        event: dict[str, Any] = {
            "routing_key": self.key,
            "event_action": "trigger" if message.firing else "resolve",
            "dedup_key": message.key,
            "payload": {
                "summary": message.summary,
                "source": "heartbeat",
                "severity": message.severity,
                "component": "tallow",
                "class": "monitoring",
                "custom_details": {"description": message.text},
            },
            "links": [
                {"href": message.runbook, "text": "Runbook"},
                {"href": message.dashboard, "text": "Dashboard"},
            ],
        }
        await _post(self.url, event)


def channels(
    settings: AlertSettings, mailbox: str, password_file: Path, pagerduty: str | None = None
) -> tuple[Channel, ...]:
    """The channels that are set; e-mail always is."""
    found: list[Channel] = [Email(settings, mailbox, password_file)]
    if settings.slack_webhook_url:
        found.append(Slack(settings.slack_webhook_url.get_secret_value()))
    if settings.pagerduty_routing_key:
        found.append(PagerDuty(settings.pagerduty_routing_key.get_secret_value(), pagerduty or PAGERDUTY_URL))
    return tuple(found)


def _escape(text: str) -> str:
    """Escape text for Slack, so that it contains no link and no mention.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    for character, escaped in _ESCAPES:
        text = text.replace(character, escaped)
    return text


def _mail_problem(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answers {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"the mail server refuses every recipient ({', '.join(codes)})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server does not support STARTTLS or AUTH"
    if isinstance(error, smtplib.SMTPException):
        return "the mail server closes the connection without a valid reply"
    return f"the mail server: {describe_error(error)}"


async def _post(url: str, body: object) -> None:
    try:
        async with async_client(timeout=TIMEOUT_S) as client:
            answer = await client.post(url, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndeliveredError(describe_error(error)) from None
    if not answer.is_success:
        raise UndeliveredError(describe_response(answer))

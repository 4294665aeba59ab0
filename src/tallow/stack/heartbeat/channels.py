"""The checker's own ways to people: SMTP, Slack and PagerDuty, without Alertmanager."""

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
_AMPERSAND_FIRST: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("`", "'"))


class UndeliveredError(Exception):
    """A channel did not take a message: a few words without addresses and secrets."""


class Channel(ABC):
    """One way to people."""

    name: str

    @abstractmethod
    async def send(self, notice: HeartbeatMessage) -> None:
        """Deliver.

        Raises:
            UndeliveredError: it did not get there.
        """


@dataclass(frozen=True, slots=True)
class Email(Channel):
    """To the addresses of critical alerts; the stack's mailbox where no SMTP server is set.

    Attributes:
        mailbox: its ``host:port``.
        password_file: the password that the mailbox asks for.
    """

    settings: AlertSettings
    mailbox: str
    password_file: Path
    name: str = "email"

    async def send(self, notice: HeartbeatMessage) -> None:
        try:
            await run_in_thread(partial(self._send, notice))
        except PasswordFileError as error:
            raise UndeliveredError(str(error)) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(_mail_problem(error)) from None

    def _send(self, notice: HeartbeatMessage) -> None:
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
            if login := self._login():
                client.login(*login)
            client.send_message(self._message(notice))
            with suppress(OSError, smtplib.SMTPException):  # the message is delivered, however it ends
                client.quit()

    def _login(self) -> tuple[str, str] | None:
        own = self.settings
        if not own.smtp_host:
            return USER, read_password(self.password_file)
        if own.smtp_user and own.smtp_password:
            return own.smtp_user, own.smtp_password.get_secret_value()
        return None

    def _message(self, notice: HeartbeatMessage) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.subject
        message["From"], message["To"] = self.settings.sender, self.settings.email("critical")
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="tallow.localhost")
        message.set_content(
            f"{notice.text}\n\nRunbook    {notice.runbook}\nDashboard  {notice.dashboard}\n\n"
            "Sent by the heartbeat checker, past Alertmanager\n"
        )
        return message


@dataclass(frozen=True, slots=True)
class Slack(Channel):
    """To an incoming webhook."""

    url: str
    name: str = "slack"

    async def send(self, notice: HeartbeatMessage) -> None:
        attachment = {
            "color": _COLOURS[notice.severity] if notice.firing else _GREEN,
            "title": _escaped(notice.subject),
            "title_link": notice.runbook,
            "fallback": _escaped(notice.subject),
            "text": f"{_escaped(notice.text)}\n<{notice.runbook}|Runbook> · <{notice.dashboard}|Dashboard>",
            "mrkdwn_in": ["text"],
        }
        await _post(self.url, {"attachments": [attachment]})


@dataclass(frozen=True, slots=True)
class PagerDuty(Channel):
    """To PagerDuty's Events API v2; one incident, whose key stays the same."""

    key: str
    url: str = PAGERDUTY_URL
    name: str = "pagerduty"

    async def send(self, notice: HeartbeatMessage) -> None:
        event: dict[str, Any] = {
            "routing_key": self.key,
            "event_action": "trigger" if notice.firing else "resolve",
            "dedup_key": notice.key,
            "payload": {
                "summary": notice.summary,
                "source": "heartbeat",
                "severity": notice.severity,
                "component": "tallow",
                "class": "monitoring",
                "custom_details": {"description": notice.text},
            },
            "links": [
                {"href": notice.runbook, "text": "Runbook"},
                {"href": notice.dashboard, "text": "Dashboard"},
            ],
        }
        await _post(self.url, event)


def channels(
    settings: AlertSettings, mailbox: str, password_file: Path, pagerduty: str | None = None
) -> tuple[Channel, ...]:
    """Every way that is set; e-mail always is."""
    found: list[Channel] = [Email(settings, mailbox, password_file)]
    if settings.slack_webhook_url:
        found.append(Slack(settings.slack_webhook_url.get_secret_value()))
    if settings.pagerduty_routing_key:
        found.append(PagerDuty(settings.pagerduty_routing_key.get_secret_value(), pagerduty or PAGERDUTY_URL))
    return tuple(found)


def _escaped(text: str) -> str:
    """Text that Slack shows as it is: without links, mentions and calls to everybody.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    for character, written in _AMPERSAND_FIRST:
        text = text.replace(character, written)
    return text


def _mail_problem(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answers {error.smtp_code}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({str(code) for code, _ in error.recipients.values()})
        return f"the mail server refuses every recipient ({', '.join(codes)})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server does not offer what is needed (STARTTLS or AUTH)"
    if isinstance(error, smtplib.SMTPException):
        return "the mail server closes the connection without a valid answer"
    return f"the mail server: {describe_error(error)}"


async def _post(url: str, body: object) -> None:
    try:
        async with async_client(timeout=TIMEOUT_S) as client:
            answer = await client.post(url, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndeliveredError(describe_error(error)) from None
    if not answer.is_success:
        raise UndeliveredError(describe_response(answer))

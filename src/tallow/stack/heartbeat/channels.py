"""The checker's own ways to people: SMTP, Slack and PagerDuty, without Alertmanager."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.monitoring.integrations.request_errors import describe_answer, describe_error
from tallow.stack.heartbeat.notice import Notice
from tallow.stack.routing import AlertSettings
from tallow.stack.routing.config import requires_tls

TIMEOUT_S: Final = 10.0
IMPLICIT_TLS_PORT: Final = 465
PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
DEDUP_KEY: Final = "tallow-heartbeat"
_RED, _GREEN = "#b3261e", "#2f7d4f"


class UndeliveredError(Exception):
    """A channel did not take a message: a few words without addresses and secrets."""


class Channel(ABC):
    """One way to people."""

    name: str

    @abstractmethod
    async def send(self, notice: Notice) -> None:
        """Deliver.

        Raises:
            UndeliveredError: it did not get there.
        """


@dataclass(frozen=True, slots=True)
class Email(Channel):
    """To the addresses of critical alerts; the stack's mailbox where no SMTP server is set."""

    settings: AlertSettings
    mailbox: str
    name: str = "email"

    async def send(self, notice: Notice) -> None:
        try:
            await asyncio.to_thread(self._send, notice)
        except (OSError, smtplib.SMTPException) as error:
            code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
            raise UndeliveredError(f"{type(error).__name__}{code}") from None

    def _send(self, notice: Notice) -> None:
        own = self.settings
        smarthost = own.smarthost or self.mailbox
        host, _, port = smarthost.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        context = ssl.create_default_context()
        implicit = int(port) == IMPLICIT_TLS_PORT
        with (
            smtplib.SMTP_SSL(host, int(port), timeout=TIMEOUT_S, context=context)
            if implicit
            else smtplib.SMTP(host, int(port), timeout=TIMEOUT_S)
        ) as client:
            if not implicit and requires_tls(smarthost):
                client.starttls(context=context)
            if own.smtp_host and own.smtp_user and own.smtp_password:
                client.login(own.smtp_user, own.smtp_password.get_secret_value())
            client.send_message(self._message(notice))

    def _message(self, notice: Notice) -> EmailMessage:
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

    async def send(self, notice: Notice) -> None:
        attachment = {
            "color": _RED if notice.firing else _GREEN,
            "title": notice.subject,
            "title_link": notice.runbook,
            "fallback": notice.subject,
            "text": f"{notice.text}\n<{notice.runbook}|Runbook> · <{notice.dashboard}|Dashboard>",
            "mrkdwn_in": ["text"],
        }
        await _post(self.url, {"attachments": [attachment]})


@dataclass(frozen=True, slots=True)
class PagerDuty(Channel):
    """To PagerDuty's Events API v2; one incident, whose key stays the same."""

    key: str
    url: str = PAGERDUTY
    name: str = "pagerduty"

    async def send(self, notice: Notice) -> None:
        event: dict[str, Any] = {
            "routing_key": self.key,
            "event_action": "trigger" if notice.firing else "resolve",
            "dedup_key": DEDUP_KEY,
            "payload": {
                "summary": notice.summary,
                "source": "heartbeat",
                "severity": "critical",
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


def channels(settings: AlertSettings, mailbox: str, pagerduty: str | None = None) -> tuple[Channel, ...]:
    """Every way that is set; e-mail always is."""
    found: list[Channel] = [Email(settings, mailbox)]
    if settings.slack_webhook_url:
        found.append(Slack(settings.slack_webhook_url.get_secret_value()))
    if settings.pagerduty_routing_key:
        found.append(PagerDuty(settings.pagerduty_routing_key.get_secret_value(), pagerduty or PAGERDUTY))
    return tuple(found)


async def _post(url: str, body: object) -> None:
    try:
        async with async_client(timeout=TIMEOUT_S) as client:
            answer = await client.post(url, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UndeliveredError(describe_error(error)) from None
    if not answer.is_success:
        raise UndeliveredError(describe_answer(answer))

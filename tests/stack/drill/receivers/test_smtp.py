"""The test receiver of e-mail requires a password, known recipients and complete messages."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from email.utils import formatdate

import pytest

from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.drill.receivers.smtp import USER, SmtpHandler, serving


def send(
    port: int, password: str = "secret", to: str = "critical@drill.invalid", **headers: str | None
) -> None:
    mail = EmailMessage()
    wanted = {"From": USER, "To": to, "Subject": "[CRITICAL] Tällow is down", "Date": formatdate()} | headers
    for name, value in wanted.items():
        if value is not None:
            mail[name] = value
    mail.set_content("The scrape fails.")
    with smtplib.SMTP("127.0.0.1", port) as client:
        if password:
            client.login(USER, password)
        client.sendmail(USER, [to], mail.as_bytes())


@pytest.fixture
def handler() -> SmtpHandler:
    return SmtpHandler(Inbox(), {"critical@drill.invalid"}, "secret")


async def test_a_mail_is_accepted_and_parsed(handler: SmtpHandler) -> None:
    async with serving(handler) as port:
        await asyncio.to_thread(send, port)
    [message] = handler.inbox.messages
    assert (message.target, message.subject) == ("critical@drill.invalid", "[CRITICAL] Tällow is down")
    assert message.text == "The scrape fails."
    assert message.firing


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"password": "wrong"}, 535),
        ({"password": ""}, 530),
        ({"to": "nobody@drill.invalid"}, 550),
        ({"Date": None}, 550),
        ({"Subject": None}, 550),
    ],
)
async def test_invalid_mails_are_rejected(handler: SmtpHandler, changed: dict[str, str], code: int) -> None:
    async with serving(handler) as port:
        with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refused:
            await asyncio.to_thread(send, port, **changed)
    error = refused.value
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        found = next(iter(error.recipients.values()))[0]
    else:
        assert isinstance(error, smtplib.SMTPResponseException)
        found = error.smtp_code
    assert found == code
    assert handler.inbox.messages == []

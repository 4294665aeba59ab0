"""The test receivers of one stack, and the settings that send notifications to them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr
from starlette.applications import Starlette

from tallow.stack.drill.receivers import pagerduty, serve, slack, smtp
from tallow.stack.drill.receivers.message import Inbox
from tallow.stack.routing import AlertSettings

AUDIENCES: Final = ("default", "critical", "performance", "security", "operations", "digest")
_DOMAIN: Final = "drill.invalid"


def address(audience: str) -> str:
    """The e-mail address of an audience in a drill."""
    return f"{audience}@{_DOMAIN}"


@dataclass(slots=True)
class ReceiverSet:
    """Running receivers.

    Attributes:
        inbox: what they accepted and rejected.
        settings: the settings of Alertmanager and the heartbeat checker that name these receivers.
        pagerduty: the address to use instead of PagerDuty's.
    """

    inbox: Inbox
    settings: AlertSettings
    pagerduty: str
    _slack: Starlette
    _slack_port: int = 0
    _slack_stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open_slack(self) -> None:
        """Start the Slack receiver, on the same port as before."""
        self._slack_port = await self._slack_stack.enter_async_context(
            serve.serving(self._slack, self._slack_port)
        )

    async def close_slack(self) -> None:
        """Stop the Slack receiver; its port then refuses connections."""
        await self._slack_stack.aclose()

    @property
    def slack_port(self) -> int:
        """The port of the Slack receiver."""
        return self._slack_port


@asynccontextmanager
async def running_receivers() -> AsyncIterator[ReceiverSet]:
    """Run receivers with new ports and secrets in this event loop, until the block ends."""
    inbox = Inbox()
    key, password = secrets.token_hex(16), secrets.token_urlsafe(16)
    path = (
        f"/services/T{secrets.token_hex(4).upper()}/B{secrets.token_hex(4).upper()}/{secrets.token_hex(12)}"
    )
    handler = smtp.SmtpHandler(inbox, {address(audience) for audience in AUDIENCES}, password)
    async with (
        smtp.serving(handler) as smtp_port,
        serve.serving(Starlette(routes=[pagerduty.events_route(inbox, key)])) as pagerduty_port,
    ):
        settings = AlertSettings.model_construct(
            None,
            **{f"alert_email_{audience}": address(audience) for audience in AUDIENCES},
            smtp_host="127.0.0.1",
            smtp_port=smtp_port,
            smtp_from=smtp.USER,
            smtp_user=smtp.USER,
            smtp_password=SecretStr(password),
            pagerduty_routing_key=SecretStr(key),
        )
        receivers = ReceiverSet(
            inbox,
            settings,
            f"http://127.0.0.1:{pagerduty_port}{pagerduty.PATH}",
            Starlette(routes=[slack.webhook_route(inbox, path)]),
        )
        await receivers.open_slack()
        webhook = SecretStr(f"http://127.0.0.1:{receivers.slack_port}{path}")
        receivers.settings = settings.model_copy(update={"slack_webhook_url": webhook})
        try:
            yield receivers
        finally:
            await receivers.close_slack()

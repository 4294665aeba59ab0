"""Every receiver of one stack: started, and described as the settings that lead to them."""

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
    """Where an audience gets its mail in a drill: each has an address of its own."""
    return f"{audience}@{_DOMAIN}"


@dataclass(slots=True)
class ReceiverSet:
    """Running receivers.

    Attributes:
        settings: leads Alertmanager and the heartbeat checker here.
        pagerduty: the stand-in's address, instead of PagerDuty's own.
    """

    inbox: Inbox
    settings: AlertSettings
    pagerduty: str
    _slack: Starlette
    _slack_port: int = 0
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open_slack(self) -> None:
        """Let Slack be reachable."""
        self._slack_port = await self._open.enter_async_context(serve.serving(self._slack, self._slack_port))

    async def close_slack(self) -> None:
        """Let nothing listen where Slack was."""
        await self._open.aclose()

    @property
    def slack_port(self) -> int:
        return self._slack_port


@asynccontextmanager
async def running_receivers() -> AsyncIterator[ReceiverSet]:
    """Receivers on ports and with secrets of their own; the caller's event loop serves them."""
    tray = Inbox()
    key, password = secrets.token_hex(16), secrets.token_urlsafe(16)
    path = (
        f"/services/T{secrets.token_hex(4).upper()}/B{secrets.token_hex(4).upper()}/{secrets.token_hex(12)}"
    )
    office = smtp.SmtpHandler(tray, {address(audience) for audience in AUDIENCES}, password)
    async with (
        smtp.serving(office) as smtp_port,
        serve.serving(Starlette(routes=[pagerduty.events_route(tray, key)])) as pagerduty_port,
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
        desk = ReceiverSet(
            tray,
            settings,
            f"http://127.0.0.1:{pagerduty_port}{pagerduty.PATH}",
            Starlette(routes=[slack.webhook_route(tray, path)]),
        )
        await desk.open_slack()
        webhook = SecretStr(f"http://127.0.0.1:{desk.slack_port}{path}")
        desk.settings = settings.model_copy(update={"slack_webhook_url": webhook})
        try:
            yield desk
        finally:
            await desk.close_slack()

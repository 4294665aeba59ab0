"""Settings for the recipients of alerts, from the environment or ``.env``, each also as ``NAME_FILE``."""

from __future__ import annotations

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, model_validator

from tallow.monitoring.settings.base import Settings
from tallow.monitoring.settings.types import PORTS, Host, Port, SecretUrl, matching

MAILBOX_ADDRESS = "operator@localhost"
"""The recipient while no address is set; the stack's mailbox stores such mail."""

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(
    rf"(?=.{{1,254}}$)(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*", re.ASCII
)
"""RFC 5321 without quoted local parts and address literals."""
_ROUTING_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
_ADDRESSES: Final = "e-mail addresses, separated by commas"
_URL: Final = "an address that starts with https:// or http://"


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("not an e-mail address")
    return value


def _addresses(value: str) -> str:
    return ", ".join(_address(part.strip()) for part in value.split(","))


Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[str, AfterValidator(_addresses)]
RoutingKey = Annotated[SecretStr, matching(_ROUTING_KEY)]


class AlertSettings(Settings):
    """The recipients of alerts. A channel that is not set is left out of every receiver.

    >>> AlertSettings.model_construct(alert_email_default="ops@example.org").email("critical")
    'ops@example.org'
    """

    files_for_all = True
    strict_env_file = True

    alert_email_default: Addresses | None = Field(
        None, title="Recipients of alerts without an address of their own", description=_ADDRESSES
    )
    alert_email_critical: Addresses | None = Field(
        None, title="Recipients of critical alerts", description=_ADDRESSES
    )
    alert_email_performance: Addresses | None = Field(
        None, title="Recipients of alerts on performance", description=_ADDRESSES
    )
    alert_email_security: Addresses | None = Field(
        None, title="Recipients of alerts on security", description=_ADDRESSES
    )
    alert_email_operations: Addresses | None = Field(
        None, title="Recipients of alerts on transfers and connections", description=_ADDRESSES
    )
    alert_email_digest: Addresses | None = Field(
        None, title="Recipients of the daily digest", description=_ADDRESSES
    )
    smtp_host: Host | None = Field(
        None,
        title="Mail server; without it mail stays in the mailbox (tallow inbox). Mail is encrypted, except "
        "to a loopback address",
        description="a host name or an IP address",
    )
    smtp_port: Port = Field(587, title="Port of the mail server; 465 uses implicit TLS", description=PORTS)
    smtp_from: Address | None = Field(
        None,
        title="Sender; by default SMTP_USER if it is an address, else the first of ALERT_EMAIL_DEFAULT",
        description="one e-mail address",
    )
    smtp_user: str | None = Field(
        None, title="User name for the mail server, with SMTP_PASSWORD", description="printable text"
    )
    smtp_password: SecretStr | None = Field(
        None, title="Password for the mail server", description="printable text"
    )
    slack_webhook_url: SecretUrl | None = Field(None, title="Slack's incoming webhook", description=_URL)
    pagerduty_routing_key: RoutingKey | None = Field(
        None,
        validation_alias=AliasChoices("pagerduty_routing_key", "pagerduty_service_key"),
        title="PagerDuty's integration key",
        description="the 32 letters and digits of an Events API v2 integration key",
    )
    heartbeat_url: SecretUrl | None = Field(
        None,
        title="Address of an external dead man's switch, requested while alerting works",
        description=_URL,
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.smtp_host and not self.alert_email_default:
            raise ValueError(
                "ALERT_EMAIL_DEFAULT is not set; accepted: e-mail addresses, since SMTP_HOST is set"
            )
        if self.smtp_password and not self.smtp_user:
            raise ValueError("SMTP_USER is not set; accepted: the name that SMTP_PASSWORD belongs to")
        if self.smtp_user and not self.smtp_password:
            raise ValueError("SMTP_PASSWORD is not set; accepted: the password of SMTP_USER")
        return self

    def email(self, audience: str) -> str:
        """The addresses of an audience, separated by commas.

        Args:
            audience: ``critical``, ``performance``, ``security``, ``operations``, ``digest`` or ``default``.
        """
        own: str | None = getattr(self, f"alert_email_{audience}")
        return own or self.alert_email_default or MAILBOX_ADDRESS

    @property
    def sender(self) -> str:
        """The From address: ``SMTP_FROM``, else the SMTP user if it is an address, else the first default."""
        if self.smtp_from:
            return self.smtp_from
        if self.smtp_user and _ADDRESS.fullmatch(self.smtp_user):
            return self.smtp_user
        return self.email("default").partition(",")[0]

    @property
    def smarthost(self) -> str | None:
        """``HOST:PORT`` of the mail server, with brackets around an IPv6 address; None if not set."""
        if self.smtp_host is None:
            return None
        host = f"[{self.smtp_host}]" if ":" in self.smtp_host else self.smtp_host
        return f"{host}:{self.smtp_port}"

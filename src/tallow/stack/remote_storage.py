"""Settings for Prometheus's remote write and remote read."""

from __future__ import annotations

import re
import socket
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, model_validator

from tallow.monitoring.settings.base import MASKED, Settings
from tallow.monitoring.settings.types import UrlWithoutPassword, matching

PASSWORD_FILE: Final = "remote_password"  # noqa: S105 - a file name
_MACHINE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_URL: Final = (
    "an address that starts with https:// or http://, without user and password "
    "(these are REMOTE_USER and REMOTE_PASSWORD)"
)


class RemoteStorageSettings(Settings):
    """The remote system that stores samples, if one is set."""

    strict_env_file = True

    remote_write_url: Annotated[UrlWithoutPassword | None, MASKED] = Field(
        None,
        title="Address to which Prometheus sends every sample (Mimir, Thanos Receive, VictoriaMetrics)",
        description=_URL,
    )
    remote_read_url: Annotated[UrlWithoutPassword | None, MASKED] = Field(
        None, title="Address from which Prometheus reads data older than its own", description=_URL
    )
    remote_user: str | None = Field(
        None,
        title="User name for both addresses, with REMOTE_PASSWORD",
        description="printable text without a colon",
    )
    remote_password: SecretStr | None = Field(
        None, title="Password for both addresses", description="printable text"
    )
    remote_machine: Annotated[str | None, matching(_MACHINE)] = Field(
        None,
        title="Label `machine` of every sample and alert, which distinguishes machines; used only with one "
        "of the addresses. By default the host name",
        description="1 to 100 letters, digits, . _ : -",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.remote_user and ":" in self.remote_user:
            raise ValueError("REMOTE_USER contains a colon; accepted: printable text without a colon")
        if self.remote_password and not self.remote_user:
            raise ValueError("REMOTE_USER is not set; accepted: the name that REMOTE_PASSWORD belongs to")
        if self.remote_user and not self.remote_password:
            raise ValueError("REMOTE_PASSWORD is not set; accepted: the password of REMOTE_USER")
        if self.remote_user and not self.is_set:
            raise ValueError("REMOTE_WRITE_URL is not set; accepted: an address, since REMOTE_USER is set")
        return self

    @property
    def is_set(self) -> bool:
        """Whether an address is set."""
        return bool(self.remote_write_url or self.remote_read_url)

    @property
    def machine(self) -> str:
        """The value of the label ``machine``."""
        return self.remote_machine or socket.gethostname()

    def secret_files(self) -> dict[str, str]:
        """Content by file name, for the secrets folder; to be written with mode 0600."""
        return {PASSWORD_FILE: self.remote_password.get_secret_value()} if self.remote_password else {}

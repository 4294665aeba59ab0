"""The settings that the stack itself reads: alert receivers, remote storage and the metrics token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from tallow.monitoring.settings.base import Settings
from tallow.monitoring.settings.process_options import PREFIX
from tallow.monitoring.settings.types import TOKENS, Token
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack.remote_storage import RemoteStorageSettings
from tallow.stack.routing import AlertSettings


class TokenSettings(Settings):
    """The token of Tallow's /metrics if the operator sets one; Prometheus uses the same."""

    prefix = PREFIX
    strict_env_file = True

    metrics_token: Token | None = Field(
        None,
        title="Bearer token that opens /metrics; by default one that is made at first start",
        description=TOKENS,
    )


CLASSES: Final = (AlertSettings, RemoteStorageSettings, TokenSettings)


@dataclass(frozen=True, slots=True)
class StackSettings:
    """The values of all settings of the stack."""

    alerts: AlertSettings
    remote: RemoteStorageSettings
    tokens: TokenSettings

    @classmethod
    def load(cls, source: VariableSource) -> StackSettings:
        """Read the settings from a source.

        Raises:
            BadSettingError: a setting is invalid; one line that names it.
        """
        return cls(AlertSettings.load(source), RemoteStorageSettings.load(source), TokenSettings.load(source))

    @property
    def metrics_token(self) -> str | None:
        """The operator's token as plain text; None if it is not set."""
        token = self.tokens.metrics_token
        return token.get_secret_value() if token else None

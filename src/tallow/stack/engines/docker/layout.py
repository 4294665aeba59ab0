"""The files of a stack of containers in its state folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tallow.stack.engines.state.state_dir import StateDir

COMPOSE_FILE: Final = "docker-compose.monitoring.yml"
ENVIRONMENT_FILE: Final = "compose.env"
SECRETS: Final = "docker"
"""In ``secrets``: what is mounted into containers."""
CONFIGURATION_FOLDERS: Final = ("alerting", "collector", "grafana", "loki", "prometheus", "promtail")
SECRET_FOLDERS: Final = ("alertmanager", "prometheus", "turn")


def compose_file(home: StateDir) -> Path:
    """The Compose file that the stack runs."""
    return home.config / COMPOSE_FILE


def environment_file(home: StateDir) -> Path:
    """The variables of the Compose file. None is secret."""
    return home.config / ENVIRONMENT_FILE


def container_secrets(home: StateDir) -> Path:
    """The folder of the secrets that containers read."""
    return home.secrets / SECRETS

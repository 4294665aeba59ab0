"""The Compose project of a stack: its name, its profiles and its services."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tallow.stack.compose.document import SERVICES
from tallow.stack.engines.docker import layout
from tallow.stack.engines.docker.client import Project
from tallow.stack.engines.services.definitions import NAMES
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StateDir, StateDirError

PROFILES: Final = ("logs", "promtail", "turn")
"""The profiles that an operator chooses; ``mailbox`` follows from the settings."""
MAILBOX: Final = "mailbox"
ALL: Final = ("*",)
EVERY_NAME: Final = tuple(dict.fromkeys((*NAMES, *SERVICES)))
"""The names of the services of both engines."""


def project(home: StateDir) -> Project:
    """The project of the stack in ``home``, with the profiles that it was started with."""
    return Project(
        project_name(home),
        str(layout.compose_file(home)),
        str(layout.environment_file(home)),
        profiles(home),
    )


def every_service(home: StateDir) -> Project:
    """The project with all profiles, to stop and remove also what is no longer chosen."""
    return replace(project(home), profiles=ALL)


def project_name(home: StateDir) -> str:
    """``tallow`` for the default folder; for others with a digest of the path."""
    try:
        if home.root == StateDir.at().root:
            return "tallow"
    except StateDirError:  # this user has no default folder
        pass
    return f"tallow-{hashlib.sha256(str(home.root).encode()).hexdigest()[:8]}"


def profiles(home: StateDir) -> tuple[str, ...]:
    """The profiles that the stack was started with."""
    return tuple(home.options().profiles)


def wanted_profiles(chosen: tuple[str, ...], settings: StackSettings) -> tuple[str, ...]:
    """The chosen profiles, and the mailbox while no mail server is set."""
    mailbox = () if settings.alerts.smtp_host else (MAILBOX,)
    return (*(profile for profile in PROFILES if profile in chosen), *mailbox)


def services(active: tuple[str, ...]) -> tuple[str, ...]:
    """The services of some profiles, in the order of the Compose file."""
    definitions: Mapping[str, list[str]] = {
        name: list(definition().get("profiles", ())) for name, definition in SERVICES.items()
    }
    return tuple(name for name, needed in definitions.items() if not needed or set(needed) & set(active))

"""The names of every file and folder that a stack makes in its state folder.

`tallow down --purge` removes these and nothing else.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from tallow.stack import alerts, credentials, remote_storage, routing
from tallow.stack.compose.health import HTTP_CLIENT_FILE
from tallow.stack.engines.docker import layout as docker
from tallow.stack.engines.logs.rotation import KEPT
from tallow.stack.engines.reload.file_transaction import FOLDER as CHANGE_FOLDER
from tallow.stack.engines.reload.program_check import FOLDER as CHECK_FOLDER
from tallow.stack.engines.reload.snapshot import APPLIED_FILE, ENVIRONMENT_FILE
from tallow.stack.engines.services.definitions import NAMES, SETTINGS_FILE
from tallow.stack.engines.state.marker import FOLDERS, MARKER, OPTIONS_FILE
from tallow.stack.engines.supervisor.state_files import FILES as RUN_FILES
from tallow.stack.routing.receivers import SECRET_FILES

LOGS: Final = (*NAMES, "supervisor")
"""The names of the logs, without the suffix ``.log``."""

TREES: Final = (
    *(PurePath("data", name) for name in ("tallow", "prometheus", "alertmanager", "mailbox", "heartbeat")),
    *(PurePath("run", name) for name in (CHECK_FOLDER, CHANGE_FOLDER)),
    *(PurePath("config", name) for name in docker.CONFIGURATION_FOLDERS if name != "prometheus"),
    PurePath("secrets", docker.SECRETS),
)
"""Folders that a service or a reload fills; they are removed with everything in them."""

_FILES_OF: Final = {
    "secrets": (
        *(credentials.WEB_CONFIG_FILE, *(one.file for one in credentials.CREDENTIALS)),
        *(remote_storage.PASSWORD_FILE, SETTINGS_FILE, ENVIRONMENT_FILE),
    ),
    "secrets/alertmanager": SECRET_FILES,
    "config": (docker.COMPOSE_FILE, docker.ENVIRONMENT_FILE),
    "config/prometheus": ("prometheus.yml", HTTP_CLIENT_FILE),
    "config/prometheus/rules": (alerts.CORE_PATH.name, alerts.EXTRA_PATH.name),
    "config/alertmanager": ("alertmanager.yml",),
    "config/alertmanager/templates": tuple(routing.templates()),
    "run": (*RUN_FILES, APPLIED_FILE),
    "logs": tuple(
        f"{name}.log{number}" for name in LOGS for number in ("", *(f".{n}" for n in range(1, KEPT + 1)))
    ),
}

FILES: Final = tuple(PurePath(folder, name) for folder, names in _FILES_OF.items() for name in names)

EMPTIED: Final = (
    *(PurePath(folder) for folder in ("config/prometheus/rules", "config/prometheus/targets")),
    *(PurePath(folder) for folder in ("config/prometheus", "config/alertmanager/templates")),
    *(PurePath(folder) for folder in ("config/alertmanager", "secrets/alertmanager")),
    *(PurePath(folder) for folder in FOLDERS),
)
"""Folders that are removed if they are empty, inner ones first: the operator may have put files into them."""

IDENTITY: Final = tuple(PurePath(name) for name in (OPTIONS_FILE, MARKER))
"""The files that identify a state folder; removed last, so that an interrupted purge can be repeated."""

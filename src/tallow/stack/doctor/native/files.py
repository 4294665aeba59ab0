"""Who can read the stack's folder, its secrets and the operator's settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE
from tallow.stack import credentials
from tallow.stack.doctor.model import Check, NotApplicableError, Problem
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.docker.layout import container_secrets
from tallow.stack.engines.reload.snapshot import stored_environment
from tallow.stack.engines.state.marker import FOLDERS

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def _state_folder(installation: Installation) -> Iterator[Problem]:
    root = installation.home.root
    if (owner := root.stat().st_uid) != os.geteuid():
        yield Problem(
            f"{root} belongs to another user (uid {owner})",
            f"run this as that user, or: chown -R {os.geteuid()} {root}",
        )
    for folder in (root, *(root / name for name in FOLDERS)):
        if not folder.is_dir():
            yield Problem(f"{folder} is missing", installation.command("up"))
        elif folder.stat().st_mode & OTHERS:
            yield _open_to_others(folder, "700")


def _secrets(installation: Installation) -> Iterator[Problem]:
    home, rotate = installation.home, installation.command("credentials", "rotate")
    for credential in credentials.CREDENTIALS:
        path = home.secrets / credential.file
        if not path.exists():
            yield Problem(
                f"the {credential.name} is missing: {path}", installation.command("up", "--restart")
            )
        elif problem := _secret_problem(path):
            yield Problem(problem, rotate)
    for path in sorted(path for path in home.secrets.rglob("*") if path.is_file()):
        # Containers' users read theirs; the folder, mode 0700, keeps others out.
        if path.stat().st_mode & OTHERS and not path.is_relative_to(container_secrets(home)):
            yield _open_to_others(path, "600")
    if not credentials.web_config_is_current(home.secrets):
        yield Problem(
            f"{home.secrets / credentials.WEB_CONFIG_FILE} does not contain the hash of the "
            "monitoring password",
            rotate,
        )


def _receiver_secrets(installation: Installation) -> Iterator[Problem]:
    for key, value in _files_named_in(installation.alertmanager_config):
        path = installation.host_path(value)
        remedy = f"set the receiver's setting again, then: {installation.command('reload')}"
        if not path.exists():
            yield Problem(f"{key} in alertmanager.yml names {path}, which is missing", remedy)
        elif problem := _secret_problem(path):
            yield Problem(problem, remedy)


def _env_file(installation: Installation) -> Iterator[Problem]:
    path = _env_path(installation)
    if not path.is_file():
        raise NotApplicableError(f"there is no {path}")
    secret = any(word in name.upper() for name in read_env_file(path, {}).entries for word in _SECRET_WORDS)
    if secret and path.stat().st_mode & OTHERS:
        yield _open_to_others(path, "600")


_SECRET_WORDS: Final = (
    "PASSWORD",
    "TOKEN",
    "SECRET",
    "KEY",
    "WEBHOOK",
    "DSN",
    "HEARTBEAT_URL",
    "DATABASE_URL",
)
"""Parts of the names of settings whose values are secrets."""


def _env_path(installation: Installation) -> Path:
    named = stored_environment(installation.home).get(ENV_FILE_VARIABLE)
    return Path(installation.options.env_folder) / (named or ".env")


def _open_to_others(path: Path, wanted: str) -> Problem:
    return Problem(
        f"{path} is open to other users (mode {stat.S_IMODE(path.stat().st_mode):o})",
        f"chmod {wanted} {path}",
    )


def _secret_problem(path: Path) -> str:
    content = path.read_bytes()
    if not content:
        return f"{path} is empty"
    if content != content.strip():
        return f"{path} has white space at an end: Alertmanager before 0.27 sends it with the secret"
    return ""


def _files_named_in(config: Any) -> Iterator[tuple[str, str]]:
    """The secret files of a configuration: keys that end with ``_file``, and their paths."""
    if isinstance(config, list):
        for each in config:
            yield from _files_named_in(each)
    elif isinstance(config, dict):
        for key, value in config.items():
            if str(key).endswith("_file") and isinstance(value, str):
                yield str(key), value
            else:
                yield from _files_named_in(value)


CHECKS: Final = (
    Check("state-folder", "Only the stack's user can read its folder", _state_folder),
    Check("secrets", "Passwords and tokens are there and private", _secrets),
    Check("receiver-secrets", "Every secret that Alertmanager reads is there", _receiver_secrets),
    Check("env-file", "Only the stack's user can read the secrets in .env", _env_file),
)

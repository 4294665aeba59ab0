"""Render the stack's configuration files from the operator's settings and the metric catalogue."""

from __future__ import annotations

import os
from pathlib import Path

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack import alerts, routing
from tallow.stack.deployment import Deployment, native
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.targets import expected_targets
from tallow.stack.prometheus import (
    METRICS_TOKEN_FILE,
    PrometheusPaths,
    RemoteStorage,
    prometheus_config,
)
from tallow.stack.prometheus import PASSWORD_FILE as MONITORING_PASSWORD_FILE
from tallow.stack.remote_storage import PASSWORD_FILE, RemoteStorageSettings
from tallow.stack.routing.receivers import SECRET_FILES


def load_settings(folder: Path) -> StackSettings:
    """Read the operator's settings from the environment and ``folder/.env``.

    Raises:
        BadSettingError: a setting is invalid; one line that names it.
    """
    return StackSettings.load(VariableSource(os.environ, read_env_file(folder / ".env", os.environ), folder))


def render(home: StateDir, options: StackOptions, settings: StackSettings) -> dict[Path, str]:
    """The content of every configuration and secret file that depends on settings, by path.

    Args:
        home: the stack's folder, which the files refer to.
        options: the options of `up`.
        settings: the operator's settings.
    """
    deployment = native(options.port_offset)
    folder, scale = home.config / "prometheus", options.scale
    groups = alerts.watching(expected_targets(deployment.jobs(), folder / "targets"))
    rules = alerts.rule_files(scale, deployment, groups)
    files = {
        folder / "prometheus.yml": _prometheus(home, deployment, settings.remote, scale),
        **{folder / "rules" / name: text for name, text in rules.items()},
        **{home.secrets / name: text for name, text in settings.remote.secret_files().items()},
    }
    if settings.metrics_token:
        files[home.secrets / METRICS_TOKEN_FILE] = settings.metrics_token
    return files | _alertmanager(home, deployment, settings, scale)


def stale(files: dict[Path, str]) -> list[Path]:
    """Which of the files are not on disk as they should be."""
    return [
        path for path, content in files.items() if not path.exists() or path.read_text("utf-8") != content
    ]


def write(home: StateDir, files: dict[Path, str]) -> None:
    """Write the files, readable by this user only, and remove the secrets of settings that are not set."""
    make_folders(home)
    for path, content in files.items():
        write_private(path, content)
    for path in obsolete_files(home, files):
        path.unlink(missing_ok=True)


def make_folders(home: StateDir) -> None:
    """Make the folders that must exist even if they are empty."""
    private_folder(home.config / "prometheus" / "targets")
    private_folder(_channel_secrets(home))


def obsolete_files(home: StateDir, files: dict[Path, str]) -> list[Path]:
    """Existing secret files of settings that are not set."""
    own = [*(_channel_secrets(home) / name for name in SECRET_FILES), home.secrets / PASSWORD_FILE]
    return [path for path in own if path not in files and path.exists()]


def _prometheus(home: StateDir, deployment: Deployment, remote: RemoteStorageSettings, scale: float) -> str:
    place = home.config / "prometheus"
    return prometheus_config(
        deployment,
        PrometheusPaths(home.secrets, place / "rules", place / "targets"),
        remote=RemoteStorage(
            remote.remote_write_url,
            remote.remote_read_url,
            remote.remote_user,
            home.secrets / PASSWORD_FILE if remote.remote_password else None,
            remote.machine if remote.is_set else None,
        ),
        scale=scale,
    )


def _alertmanager(
    home: StateDir, deployment: Deployment, settings: StackSettings, scale: float
) -> dict[Path, str]:
    place, secrets = home.config / "alertmanager", _channel_secrets(home)
    config = routing.alertmanager_config(
        settings.alerts,
        secrets_dir=secrets,
        template_glob=str(place / "templates" / "*.tmpl"),
        deployment=deployment,
        password_file=home.secrets / MONITORING_PASSWORD_FILE,
        scale=scale,
    )
    return {
        place / "alertmanager.yml": config,
        **{place / "templates" / name: text for name, text in routing.templates().items()},
        **{secrets / name: text for name, text in routing.secret_files(settings.alerts).items()},
    }


def _channel_secrets(home: StateDir) -> Path:
    return home.secrets / "alertmanager"

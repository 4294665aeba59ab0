"""Render the files that containers read, from the operator's settings and the committed definitions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from tallow.monitoring.settings.env_file import quoted
from tallow.stack import alerts, compose, credentials, dashboards, log_pipeline, routing
from tallow.stack.compose import application, coturn, monitoring
from tallow.stack.deployment import COMPOSE, PORTS, Deployment, native
from tallow.stack.engines.docker import layout
from tallow.stack.engines.reload.snapshot import read_values
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.targets import expected_targets
from tallow.stack.password_file import read_password
from tallow.stack.prometheus import (
    METRICS_TOKEN_FILE,
    PASSWORD_FILE,
    PrometheusPaths,
    RemoteStorage,
    prometheus_config,
)
from tallow.stack.remote_storage import PASSWORD_FILE as REMOTE_PASSWORD_FILE

PROMETHEUS: Final = PurePosixPath("/etc/prometheus")
ALERTMANAGER: Final = PurePosixPath("/etc/alertmanager")
PORT_VARIABLES: Final[Mapping[str, tuple[str, int]]] = {
    "tallow": ("TALLOW_PORT", PORTS["tallow"]),
    "prometheus": ("PROMETHEUS_PORT", PORTS["prometheus"]),
    "alertmanager": ("ALERTMANAGER_PORT", PORTS["alertmanager"]),
    "grafana": ("GRAFANA_PORT", PORTS["dashboards"]),
    "node-exporter": ("NODE_EXPORTER_PORT", PORTS["node-exporter"]),
    "cadvisor": ("CADVISOR_PORT", 8080),
    "heartbeat": ("HEARTBEAT_PORT", PORTS["heartbeat"]),
    "mailbox": ("MAILBOX_PORT", 8025),
    "loki": ("LOKI_PORT", 3100),
    "collector": ("COLLECTOR_PORT", 13133),
    "promtail": ("PROMTAIL_PORT", 9080),
    "turn": ("TURN_PORT", 3478),
}
"""The variable of each published port in the Compose file, and its default."""
_MONITORING: Final = PurePosixPath("monitoring")


@dataclass(frozen=True, slots=True)
class ContainerFiles:
    """Content by path: files of the configuration folder, and of the folder of containers' secrets."""

    configuration: Mapping[Path, str]
    secrets: Mapping[Path, str]


def render(
    home: StateDir, options: StackOptions, settings: StackSettings, values: Mapping[str, str]
) -> ContainerFiles:
    """Every file of the stack.

    Args:
        home: the stack's folder, with the credentials.
        options: the options of `up`.
        settings: the operator's settings.
        values: the variables that services read by themselves, by name.
    """
    deployment = replace(COMPOSE, base_urls=native(options.port_offset).base_urls)
    texts = {**_committed(), **_prometheus(home, deployment, options, settings)}
    texts |= _alertmanager(deployment, options, settings)
    texts[layout.COMPOSE_FILE] = compose.compose_document()
    texts[layout.ENVIRONMENT_FILE] = environment_text(compose_environment(home, options))
    return ContainerFiles(
        {home.config / name: text for name, text in texts.items()},
        {
            layout.container_secrets(home) / name: text
            for name, text in _secrets(home, settings, values).items()
        },
    )


def compose_environment(home: StateDir, options: StackOptions) -> dict[str, str]:
    """The variables of the Compose file."""
    ports = {variable: str(port + options.port_offset) for variable, port in PORT_VARIABLES.values()}
    return {
        "TALLOW_CONFIG": str(home.config),
        "TALLOW_SECRETS": str(layout.container_secrets(home)),
        "TALLOW_PORT_OFFSET": str(options.port_offset),
        **ports,
        **operator_variables(home),
    }


def operator_variables(home: StateDir) -> dict[str, str]:
    """The variables of the Compose file that the operator has set, now or for an earlier command.

    They are kept: otherwise the next command, in another shell, would make containers anew without them.
    """
    stored = read_values(layout.environment_file(home))
    present = {
        "TALLOW_BIND": os.environ.get("TALLOW_BIND"),
        "TALLOW_IMAGE": os.environ.get("TALLOW_IMAGE"),
        "TALLOW_WEBRTC": os.environ.get("TALLOW_WEBRTC"),
    }
    chosen = {name: value or stored.get(name) for name, value in present.items()}
    return {name: value for name, value in chosen.items() if value}


def environment_text(variables: Mapping[str, str]) -> str:
    """Variables in the format of Compose's ``--env-file``."""
    return "".join(f"{name}={quoted(value)}\n" for name, value in sorted(variables.items()))


def _committed() -> dict[str, str]:
    """The generated files that do not depend on settings, by path in the configuration folder."""
    inside = {
        path.relative_to(_MONITORING): text
        for source in (dashboards, log_pipeline, compose)
        for path, text in source.files().items()
    }
    templates = {f"alerting/templates/{name}": text for name, text in routing.templates().items()}
    return templates | {
        str(path): text for path, text in inside.items() if path.parts[0] in layout.CONFIGURATION_FOLDERS
    }


def _prometheus(
    home: StateDir, deployment: Deployment, options: StackOptions, settings: StackSettings
) -> dict[str, str]:
    secrets, remote = PROMETHEUS / "secrets", settings.remote
    config = prometheus_config(
        deployment,
        PrometheusPaths(secrets, PROMETHEUS / "rules", PROMETHEUS / "targets"),
        remote=RemoteStorage(
            remote.remote_write_url,
            remote.remote_read_url,
            remote.remote_user,
            secrets / REMOTE_PASSWORD_FILE if remote.remote_password else None,
            remote.machine if remote.is_set else None,
        ),
        scale=options.scale,
    )
    groups = alerts.watching(expected_targets(deployment.jobs(), home.config / "prometheus" / "targets"))
    rules = alerts.rule_files(options.scale, deployment, groups)
    return {"prometheus/prometheus.yml": config, **{f"alerting/{name}": text for name, text in rules.items()}}


def _alertmanager(deployment: Deployment, options: StackOptions, settings: StackSettings) -> dict[str, str]:
    config = routing.alertmanager_config(
        settings.alerts,
        secrets_dir=ALERTMANAGER / "secrets",
        template_glob=str(ALERTMANAGER / "templates" / "*.tmpl"),
        deployment=deployment,
        scale=options.scale,
    )
    return {"alerting/alertmanager.yml": config}


def _secrets(home: StateDir, settings: StackSettings, values: Mapping[str, str]) -> dict[str, str]:
    password = read_password(home.secrets / PASSWORD_FILE)
    web = (home.secrets / credentials.WEB_CONFIG_FILE).read_text(encoding="utf-8")
    token = settings.metrics_token or (home.secrets / METRICS_TOKEN_FILE).read_text(encoding="utf-8")
    shared = {PASSWORD_FILE: password, credentials.WEB_CONFIG_FILE: web}
    return {
        **shared,
        METRICS_TOKEN_FILE: token,
        application.SETTINGS: environment_text(values),
        monitoring.MAILBOX_USERS: credentials.password_hash_line(home.secrets),
        **_in("prometheus", {**shared, METRICS_TOKEN_FILE: token, **settings.remote.secret_files()}),
        **_in("alertmanager", {**shared, **routing.secret_files(settings.alerts)}),
        **_in("turn", {"turnserver.conf": coturn.coturn_config(values)}),
    }


def _in(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}

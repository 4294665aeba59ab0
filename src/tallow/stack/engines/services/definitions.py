"""The services of the native stack: what each runs, on which port, and how it is checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE
from tallow.stack.deployment import ACCESS, LOOPBACK, PORTS, Access
from tallow.stack.durations import promql_duration
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor.state_files import SMTP, Probe
from tallow.stack.prometheus import (
    FLUSH_S,
    METRICS_TOKEN_FILE,
    PASSWORD_FILE,
    RESEND_S,
    RETENTION_SIZE,
    RETENTION_TIME,
    SNAPSHOT_EVERY,
    USER,
)

HOST: Final = LOOPBACK
SETTINGS_FILE: Final = "settings.env"
"""In ``secrets``: the settings in effect. Services read this file instead of the operator's ``.env``."""
HEARTBEAT_PORT: Final = PORTS["heartbeat"]
DASHBOARDS_PORT: Final = PORTS["dashboards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program that the stack keeps running.

    ``arguments`` and ``environment`` are templates of ``str.format``: ``{port}`` is the service's own port,
    ``{ports[NAME]}`` that of another service, ``{offset}`` the port offset. ``{home}``, ``{secrets}``,
    ``{config}`` and ``{data}`` are folders. ``{scale}`` multiplies times; ``{resend}`` is :data:`RESEND_S`
    multiplied by it.

    Attributes:
        description: a few words for the operator.
        program: a program of :data:`tallow.stack.engines.programs.programs.PROGRAMS`. Without one, the
            arguments name a Python module of Tallow.
        reads_settings: whether it reads the operator's settings by itself. With ``--check-settings`` it then
            checks them and prints the variables that it reads.
        ready: a path that answers 2xx when the service is ready, or ``SMTP`` for the greeting of a mail
            server.
        alive: a path that is answered while the service is alive, or ``SMTP``. No password is sent.
        page_path: the path of its page for a browser; None if it has none.
        reloads_on_sighup: whether it reads its configuration again on SIGHUP.
        credentials: files in ``secrets`` that it reads at its start only.
    """

    name: str
    description: str
    arguments: tuple[str, ...]
    program: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    reads_settings: bool = False
    ready: str = "/-/ready"
    alive: str = "/healthz"
    page_path: str | None = "/"
    reloads_on_sighup: bool = False
    credentials: tuple[str, ...] = ()

    def probe(self, port: int, secrets: Path) -> Probe:
        """The addresses of its readiness and liveness checks."""
        if self.access != "password":
            return Probe(HOST, port, self.ready, self.alive)
        return Probe(HOST, port, self.ready, self.alive, USER, str(secrets / PASSWORD_FILE))

    @property
    def port(self) -> int:
        """Its port without the port offset."""
        return PORTS[self.name]

    @property
    def access(self) -> Access:
        """What a reader of its metrics needs. A password protects all of its pages."""
        return ACCESS[self.name]


SERVICES: Final = (
    Service(
        name="mailbox",
        description="stores alert e-mails",
        arguments=(
            "tallow.stack.mailbox",
            "--port={port}",
            "--folder={data}/mailbox",
            f"--password-file={{secrets}}/{PASSWORD_FILE}",
        ),
        ready=SMTP,
        alive=SMTP,
        page_path=None,
    ),
    Service(
        name="heartbeat",
        description="dead man's switch",
        arguments=(
            "tallow.stack.heartbeat",
            "--port={port}",
            "--folder={data}/heartbeat",
            f"--password-file={{secrets}}/{PASSWORD_FILE}",
            f"--mailbox={HOST}:{{ports[mailbox]}}",
            "--dashboards=http://localhost:{ports[dashboards]}",
            "--port-offset={offset}",
            "--home={home}",
            "--scale={scale}",
        ),
        environment={ENV_FILE_VARIABLE: f"{{secrets}}/{SETTINGS_FILE}"},
        reads_settings=True,
        ready="/healthz",
    ),
    Service(
        name="tallow",
        description="file transfer",
        arguments=("tallow", "serve", "--port", "{port}", "--data-dir", "{data}/tallow"),
        environment={
            ENV_FILE_VARIABLE: f"{{secrets}}/{SETTINGS_FILE}",
            "METRICS_TOKEN_FILE": f"{{secrets}}/{METRICS_TOKEN_FILE}",
            # A proxy on this machine that adds no header would publish the details otherwise. The operator's
            # HEALTH_CHECK_TOKEN takes precedence.
            "HEALTH_CHECK_TOKEN_FILE": f"{{secrets}}/{METRICS_TOKEN_FILE}",
            # `tallow logs` reads JSON, also if the operator has set another format.
            "LOG_FORMAT": "json",
        },
        credentials=(METRICS_TOKEN_FILE,),
        reads_settings=True,
        ready="/api/health/readiness",
        alive="/api/health/liveness",
    ),
    Service(
        name="node-exporter",
        description="metrics of this host",
        program="node_exporter",
        arguments=(
            f"--web.listen-address={HOST}:{{port}}",
            "--web.config.file={secrets}/web.yml",
            # These collectors need privileges.
            "--no-collector.systemd",
            "--collector.textfile.directory=",
            "--log.format=json",
        ),
        ready="/",
        alive="/",
        page_path=None,
    ),
    Service(
        name="alertmanager",
        description="routes alerts",
        program="alertmanager",
        arguments=(
            "--config.file={config}/alertmanager/alertmanager.yml",
            "--storage.path={data}/alertmanager",
            f"--web.listen-address={HOST}:{{port}}",
            "--web.external-url=http://localhost:{port}",
            "--web.config.file={secrets}/web.yml",
            "--cluster.listen-address=",
            f"--data.maintenance-interval={SNAPSHOT_EVERY}",
            "--log.format=json",
        ),
        alive="/-/healthy",
        page_path=None,  # Debian builds it without pages
        reloads_on_sighup=True,
    ),
    Service(
        name="prometheus",
        description="metrics and rules",
        program="prometheus",
        arguments=(
            "--config.file={config}/prometheus/prometheus.yml",
            "--storage.tsdb.path={data}/prometheus",
            f"--storage.tsdb.retention.time={RETENTION_TIME}",
            f"--storage.tsdb.retention.size={RETENTION_SIZE}",
            f"--web.listen-address={HOST}:{{port}}",
            "--web.external-url=http://localhost:{port}",
            "--web.config.file={secrets}/web.yml",
            "--web.cors.origin=http://localhost:{port}",
            "--rules.alert.resend-delay={resend}",
            f"--storage.remote.flush-deadline={FLUSH_S}s",
            "--enable-feature=exemplar-storage",
            "--log.format=json",
        ),
        alive="/-/healthy",
        reloads_on_sighup=True,
    ),
    Service(
        name="dashboards",
        description="dashboards, browser",
        arguments=(
            *("tallow", "viewer", "--host", HOST, "--port", "{port}"),
            *("--prometheus", f"http://{HOST}:{{ports[prometheus]}}"),
            *("--alertmanager", f"http://{HOST}:{{ports[alertmanager]}}"),
            *("--credentials-file", f"{{secrets}}/{PASSWORD_FILE}"),
            *("--metrics-token-file", f"{{secrets}}/{METRICS_TOKEN_FILE}"),
        ),
        environment={"SERVICE_NAME": "dashboards"},
        ready="/healthz",
        credentials=(PASSWORD_FILE,),
    ),
)
"""In the order in which they start; they stop in reverse order."""

NAMES: Final = tuple(service.name for service in SERVICES)


def ports(offset: int) -> dict[str, int]:
    """The port of each service by name."""
    return {service.name: service.port + offset for service in SERVICES}


def render_command(
    service: Service, home: StateDir, options: StackOptions
) -> tuple[list[str], dict[str, str]]:
    """The command line of a service, without the program, and its environment variables."""
    port_of = ports(options.port_offset)
    values: dict[str, Any] = {
        "port": port_of[service.name],
        "ports": port_of,
        "offset": options.port_offset,
        "home": home.root,
        "secrets": home.secrets,
        "config": home.config,
        "data": home.data,
        "scale": options.scale,
        "resend": promql_duration(RESEND_S * options.scale),
    }
    arguments = [argument.format(**values) for argument in service.arguments]
    if service.program is None:
        arguments = [sys.executable, "-m", *arguments]
    return arguments, {name: value.format(**values) for name, value in service.environment.items()}

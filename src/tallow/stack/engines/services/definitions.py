"""The services of the native stack, one record each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallow.monitoring.settings.variable_source import ENV_FILE_VARIABLE
from tallow.stack.durations import promql_duration
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor.state_files import SMTP, Probe
from tallow.stack.prometheus import (
    METRICS_TOKEN_FILE,
    PASSWORD_FILE,
    RETENTION_SIZE,
    RETENTION_TIME,
    USER,
    Access,
    ScrapeJob,
)

HOST: Final = "127.0.0.1"
SETTINGS_FILE: Final = "settings.env"
"""Below ``secrets``: the settings in effect, which services read instead of the operator's ``.env``."""
HEARTBEAT_PORT: Final = 9095
FLUSH_S: Final = 5
"""How long Prometheus tries to send what remote storage has not taken when it stops or reloads: by default a
minute, longer than the supervisor waits before SIGKILL."""
RESEND_S: Final = 60
"""How often Prometheus says that an alert fires; four times that long without, and it counts as resolved."""
SNAPSHOT_EVERY: Final = "15s"
"""How often Alertmanager writes silences and notification log to disk; a SIGKILL loses what came since."""
DASHBOARDS_PORT: Final = 3001


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program that the stack keeps running.

    ``arguments`` and ``environment`` are filled in by ``str.format``: ``{port}`` is the service's own port,
    ``{ports[NAME]}`` another's; ``{offset}`` was added to each. ``{home}``, ``{secrets}``, ``{config}`` and
    ``{data}`` are folders. ``{scale}`` multiplies times; ``{resend}`` is :data:`RESEND_S` so multiplied.
    """

    name: str
    port: int
    description: str
    """A few words for people."""
    arguments: tuple[str, ...]
    program: str | None = None
    """A program of `binaries.WANTED`; without one the arguments name a Python module of Tallow."""
    environment: Mapping[str, str] = field(default_factory=dict)
    reads_settings: bool = False
    """Whether it reads the operator's settings by itself; ``--check-settings`` has it check them and print
    the variables that it reads."""
    ready: str = "/-/ready"
    """A path that answers 2xx when the service can work, or :data:`plan.SMTP`."""
    alive: str = "/healthz"
    """A path that is answered as long as the service lives, or :data:`plan.SMTP`; no password is sent."""
    access: Access = "open"
    """What it asks of whoever reads its metrics; a password guards all of its pages."""
    page_path: str | None = "/"
    """The path worth opening in a browser, None where there is none."""
    scraped: bool = True
    reloads_on_sighup: bool = False
    """Whether SIGHUP has it read its configuration again."""
    credentials: tuple[str, ...] = ()
    """Files below ``secrets`` that take effect when it starts; sessions of the dashboards end then."""

    def probe(self, port: int, secrets: Path) -> Probe:
        """Where the supervisor asks it."""
        if self.access != "password":
            return Probe(HOST, port, self.ready, self.alive)
        return Probe(HOST, port, self.ready, self.alive, USER, str(secrets / PASSWORD_FILE))

    def job(self, port: int) -> ScrapeJob:
        """The service as Prometheus sees it."""
        return ScrapeJob(self.name, f"{HOST}:{port}", self.access)


SERVICES: Final = (
    Service(
        name="mailbox",
        port=1025,
        description="stores alert e-mails",
        arguments=(
            "tallow.stack.mailbox.server",
            "--port={port}",
            "--folder={data}/mailbox",
            f"--password-file={{secrets}}/{PASSWORD_FILE}",
        ),
        ready=SMTP,
        alive=SMTP,
        page_path=None,
        scraped=False,
    ),
    Service(
        name="heartbeat",
        port=HEARTBEAT_PORT,
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
        access="password",
        scraped=False,
    ),
    Service(
        name="tallow",
        port=3000,
        description="file transfer",
        arguments=("tallow", "serve", "--port", "{port}", "--data-dir", "{data}/tallow"),
        environment={
            ENV_FILE_VARIABLE: f"{{secrets}}/{SETTINGS_FILE}",
            "METRICS_TOKEN_FILE": f"{{secrets}}/{METRICS_TOKEN_FILE}",
            # `tallow logs` reads JSON, whatever the operator has set for terminals.
            "LOG_FORMAT": "json",
        },
        credentials=(METRICS_TOKEN_FILE,),
        reads_settings=True,
        ready="/api/health/readiness",
        alive="/api/health/liveness",
        access="token",
    ),
    Service(
        name="node-exporter",
        port=9100,
        description="metrics of this host",
        program="node_exporter",
        arguments=(
            f"--web.listen-address={HOST}:{{port}}",
            "--web.config.file={secrets}/web.yml",
            # Collectors that need what an ordinary user's process does not have.
            "--no-collector.systemd",
            "--collector.textfile.directory=",
            "--log.format=json",
        ),
        ready="/",
        alive="/",
        access="password",
        page_path=None,
    ),
    Service(
        name="alertmanager",
        port=9093,
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
        page_path=None,  # Debian builds it without its pages; `tallow alerts` says what they would
        access="password",
        reloads_on_sighup=True,
    ),
    Service(
        name="prometheus",
        port=9090,
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
        access="password",
        reloads_on_sighup=True,
    ),
    Service(
        name="dashboards",
        port=DASHBOARDS_PORT,
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
        access="token",
        credentials=(PASSWORD_FILE,),
    ),
)
"""In the order in which they start; they stop in the opposite one."""

NAMES: Final = tuple(service.name for service in SERVICES)


def ports(offset: int) -> dict[str, int]:
    """The port of each service."""
    return {service.name: service.port + offset for service in SERVICES}


def render_command(
    service: Service, home: StateDir, choices: StackOptions
) -> tuple[list[str], dict[str, str]]:
    """A service's arguments and environment, filled in."""
    known = ports(choices.port_offset)
    facts: dict[str, Any] = {
        "port": known[service.name],
        "ports": known,
        "offset": choices.port_offset,
        "home": home.root,
        "secrets": home.secrets,
        "config": home.config,
        "data": home.data,
        "scale": choices.scale,
        "resend": promql_duration(RESEND_S * choices.scale),
    }
    arguments = [argument.format(**facts) for argument in service.arguments]
    if service.program is None:
        arguments = [sys.executable, "-m", *arguments]
    return arguments, {name: value.format(**facts) for name, value in service.environment.items()}

"""The stack of a drill profile: Prometheus, Alertmanager, receivers, and the servers that are scraped."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.stack import alerts, credentials
from tallow.stack.deployment import LOOPBACK, NATIVE, Deployment
from tallow.stack.drill.environment import configuration
from tallow.stack.drill.environment.free_port import free_port
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.environment.server import DrillError, ServerUnderTest
from tallow.stack.drill.receivers.receiver_set import ReceiverSet, running_receivers
from tallow.stack.durations import promql_duration
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess
from tallow.stack.engines.programs.programs import Program, ensure
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import FLUSH_S, METRICS_TOKEN_FILE, PASSWORD_FILE, RESEND_S, USER

START_S: Final = 60.0
_SCRAPED: Final = ("prometheus", "alertmanager", "node-exporter")
PORTS: Final = (*_SCRAPED, "heartbeat", "disk", "logs")
"""The names of a profile's ports; the last two are for drills that need one."""
_DASHBOARDS: Final = NATIVE.base_urls["dashboards"]


@dataclass(slots=True)
class DrillEnvironment:
    """The running stack of a drill profile.

    Attributes:
        ports: by name; see :data:`PORTS`.
        processes: prometheus, alertmanager, node-exporter and heartbeat, by name.
        rule_groups: the rules that are drilled, as they are shipped.
        servers: the servers that were made for drills; they are stopped with the stack.
    """

    profile: DrillProfile
    home: StateDir
    receivers: ReceiverSet
    ports: Mapping[str, int]
    processes: Mapping[str, ManagedProcess]
    http: httpx.AsyncClient
    rule_groups: alerts.Groups = field(default_factory=lambda: alerts.GROUPS)
    servers: list[ServerUnderTest] = field(default_factory=list)
    _targets: dict[str, str] = field(default_factory=dict)

    def instance_label(self, name: str) -> str:
        """The label ``instance`` of a process's series."""
        return f"127.0.0.1:{self.ports[name]}"

    def create_server(self, name: str, settings: Mapping[str, str] | None = None) -> ServerUnderTest:
        """Make a server for a drill, not started yet.

        Args:
            name: of the drill.
            settings: environment variables; ``{NAME}`` in a value stands for the port of that name.
        """
        server = ServerUnderTest(
            name,
            self.home.data / f"{name}-{len(self.servers)}",
            self.home.secrets / METRICS_TOKEN_FILE,
            {key: value.format(**self.ports) for key, value in (settings or {}).items()},
        )
        self.servers.append(server)
        return server

    def add_target(self, target: str, address: str | None = None) -> None:
        """Scrape a target as an instance of the job ``tallow``.

        Args:
            target: the label ``instance``.
            address: where it is scraped, if not at ``target``.
        """
        self._targets[target] = address or target
        configuration.write_targets(self.home, self._targets)

    def remove_target(self, target: str) -> None:
        """Stop scraping a target."""
        if self._targets.pop(target, None):
            configuration.write_targets(self.home, self._targets)

    def reload(self) -> None:
        """Have Prometheus read its configuration again."""
        self.processes["prometheus"].signal(signal.SIGHUP)

    async def alerts(self) -> list[dict[str, Any]]:
        """Prometheus's pending and firing alerts.

        Raises:
            httpx.HTTPError: it does not answer.
        """
        return list((await self.get_json("prometheus", "/api/v1/alerts"))["data"]["alerts"])

    async def routed_alerts(self) -> list[dict[str, Any]]:
        """Alertmanager's alerts, with the alerts that inhibit them.

        Raises:
            httpx.HTTPError: it does not answer.
        """
        return list(await self.get_json("alertmanager", "/api/v2/alerts"))

    async def query(self, expr: str) -> float | None:
        """The first value of an instant query; None if it has none.

        Raises:
            httpx.HTTPError: Prometheus does not answer, or refuses the query.
        """
        answer = await self.get_json("prometheus", "/api/v1/query", query=expr)
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    async def wait_until_scraped(self, target: str) -> None:
        """Wait until Prometheus has scraped a target.

        Raises:
            DrillError: it does not in time.
        """
        deadline = time.monotonic() + START_S
        while await self.query(f'up{{instance="{target}"}}') != 1:
            if time.monotonic() > deadline:
                raise DrillError(f"{self.profile.name}: Prometheus cannot scrape {target}")
            await asyncio.sleep(self.profile.interval / 2)

    async def get_json(self, name: str, path: str, **query: str) -> Any:
        """A process's JSON answer to a GET request with the monitoring password.

        Raises:
            httpx.HTTPError: it does not answer, or refuses the request.
        """
        response = await self.http.get(self._url(name, path), params=query, auth=self._auth())
        response.raise_for_status()
        return response.json()

    async def wait_until_ready(self, name: str) -> None:
        """Wait until a process is ready.

        Raises:
            DrillError: it does not become ready in time.
        """
        path = {"heartbeat": "/healthz", "node-exporter": "/"}.get(name, "/-/ready")
        process = self.processes[name]
        deadline = time.monotonic() + START_S
        while not await self._answers(name, path):
            if time.monotonic() > deadline or not process.is_running:
                raise DrillError(f"{name} does not start: {process.last_lines()}")
            await asyncio.sleep(0.05)

    async def start(self, *names: str) -> None:
        """Start processes and wait until they are ready.

        Raises:
            DrillError: one does not become ready in time.
        """
        for name in names:
            await self.processes[name].start()
        for name in names:
            await self.wait_until_ready(name)

    async def _answers(self, name: str, path: str) -> bool:
        try:
            return (await self.http.get(self._url(name, path), auth=self._auth())).is_success
        except httpx.HTTPError:
            return False

    def _url(self, name: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def _auth(self) -> tuple[str, str]:
        return USER, credentials.password(self.home.secrets)


@asynccontextmanager
async def drill_environment(
    profile: DrillProfile, root: Path, rule_groups: alerts.Groups = alerts.GROUPS
) -> AsyncIterator[DrillEnvironment]:
    """Start a profile's stack in a folder below ``root`` and on free ports; stop it when the block ends.

    Args:
        rule_groups: the rules that are drilled, as they are shipped.

    Raises:
        DrillError, MissingProgramError: it does not start.
    """
    home = StateDir(root / profile.name)
    home.make()
    credentials.create_missing(home.secrets)
    ports = {name: free_port() for name in PORTS}
    deployment = _deployment(ports)
    configuration.write_rules(home, profile, deployment, rule_groups)
    configuration.write_prometheus(home, profile, deployment)
    async with running_receivers() as receivers, async_client(direct=True, timeout=10) as http:
        configuration.write_alertmanager(home, profile, receivers, deployment)
        processes = _processes(home, profile, ports, receivers)
        environment = DrillEnvironment(profile, home, receivers, ports, processes, http, rule_groups)
        try:
            await environment.start("heartbeat", "alertmanager", "node-exporter", "prometheus")
            yield environment
        finally:
            await asyncio.gather(*(server.close() for server in environment.servers), return_exceptions=True)
            await asyncio.gather(*(process.stop() for process in processes.values()))


def _deployment(ports: Mapping[str, int]) -> Deployment:
    """The tables of a drill's stack. The targets of the job ``tallow`` come from a file."""
    return Deployment(
        name="drill",
        job_names={service: service for service in ("tallow", *_SCRAPED)},
        hosts={"tallow": "", **{name: f"{LOOPBACK}:{port}" for name, port in ports.items()}},
        base_urls={"heartbeat": f"http://localhost:{ports['heartbeat']}", "dashboards": _DASHBOARDS},
    )


def _processes(
    home: StateDir, profile: DrillProfile, ports: Mapping[str, int], receivers: ReceiverSet
) -> dict[str, ManagedProcess]:
    programs = ensure(("prometheus", "alertmanager", "node_exporter"))

    def process(name: str, program: Program, *arguments: str) -> ManagedProcess:
        common = [
            f"--web.listen-address=127.0.0.1:{ports[name]}",
            f"--web.config.file={home.secrets / credentials.WEB_CONFIG_FILE}",
            "--log.format=json",
        ]
        return ManagedProcess(
            [str(program.path), *common, *arguments],
            program.folder or home.data,
            home.logs / f"{name}.log",
            inherited_environment() | dict(program.environment),
        )

    return {
        "prometheus": process(
            "prometheus",
            programs["prometheus"],
            f"--config.file={home.config / 'prometheus' / 'prometheus.yml'}",
            f"--storage.tsdb.path={home.data / 'prometheus'}",
            f"--web.external-url=http://localhost:{ports['prometheus']}",
            f"--rules.alert.resend-delay={promql_duration(RESEND_S * profile.scale)}",
            f"--storage.remote.flush-deadline={FLUSH_S}s",
        ),
        "alertmanager": process(
            "alertmanager",
            programs["alertmanager"],
            f"--config.file={home.config / 'alertmanager' / 'alertmanager.yml'}",
            f"--storage.path={home.data / 'alertmanager'}",
            f"--web.external-url=http://localhost:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ),
        "node-exporter": process(
            "node-exporter",
            programs["node_exporter"],
            "--no-collector.systemd",
            "--collector.textfile.directory=",
        ),
        "heartbeat": _heartbeat(home, profile, ports["heartbeat"], receivers),
    }


def _heartbeat(home: StateDir, profile: DrillProfile, port: int, receivers: ReceiverSet) -> ManagedProcess:
    settings = {
        name.upper(): value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in receivers.settings.model_dump(exclude_none=True).items()
    }
    command = [
        *(sys.executable, "-m", "tallow.stack.heartbeat"),
        f"--port={port}",
        f"--scale={profile.scale}",
        f"--folder={home.data / 'heartbeat'}",
        f"--password-file={home.secrets / PASSWORD_FILE}",
        f"--pagerduty={receivers.pagerduty}",
        f"--dashboards={_DASHBOARDS}",
        "--mark=DRILL",
    ]
    return ManagedProcess(command, home.data, home.logs / "heartbeat.log", inherited_environment() | settings)

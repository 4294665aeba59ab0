"""A track's stack while it runs: Prometheus, Alertmanager, the receivers, and servers to be scraped."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tallow.monitoring.integrations.http_client import async_client
from tallow.stack import alerts, credentials
from tallow.stack.alerts import Links
from tallow.stack.drill.environment import configuration
from tallow.stack.drill.environment.process import ManagedProcess, free_port
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.environment.server import DrillError, ServerUnderTest
from tallow.stack.drill.receivers.receiver_set import ReceiverSet, running_receivers
from tallow.stack.durations import promql_duration
from tallow.stack.engines.programs import programs as binaries
from tallow.stack.engines.services.definitions import FLUSH_S, RESEND_S
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import METRICS_TOKEN_FILE, PASSWORD_FILE, USER, ScrapeJob

START_S: Final = 60.0
PROGRAMS: Final = ("prometheus", "alertmanager", "node_exporter")
_SCRAPED: Final = ("prometheus", "alertmanager", "node-exporter")
PORTS: Final = (*_SCRAPED, "heartbeat", "disk", "logs")
"""What each track has a port for; the last two for drills that need one."""
_DASHBOARDS: Final = Links().dashboards


@dataclass(slots=True)
class DrillEnvironment:
    """What drills of one track stand on.

    Attributes:
        programs: by name: prometheus, alertmanager, node-exporter, heartbeat.
        ports: theirs.
        started: servers that this ground stops at its end.
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
        """A program's ``instance`` label."""
        return f"127.0.0.1:{self.ports[name]}"

    def create_server(self, name: str, environment: Mapping[str, str] | None = None) -> ServerUnderTest:
        """A server for a drill; not started yet. ``{NAME}`` in its environment becomes a port."""
        filled = {key: value.format(**self.ports) for key, value in (environment or {}).items()}
        made = ServerUnderTest(
            name,
            self.home.data / f"{name}-{len(self.servers)}",
            self.home.secrets / METRICS_TOKEN_FILE,
            filled,
        )
        self.servers.append(made)
        return made

    def add_target(self, target: str, through: str | None = None) -> None:
        """Make a target one of job ``tallow``; its name stays even if it is reached ``through`` another."""
        self._targets[target] = through or target
        configuration.write_targets(self.home, self._targets)

    def remove_target(self, target: str) -> None:
        """Scrape it no more."""
        if self._targets.pop(target, None):
            configuration.write_targets(self.home, self._targets)

    def reload(self) -> None:
        """Let Prometheus read its files again."""
        self.processes["prometheus"].signal(signal.SIGHUP)

    async def alerts(self) -> list[dict[str, Any]]:
        """Prometheus's alerts, pending and firing; none while it is down."""
        found: list[dict[str, Any]] = (await self.get_json("prometheus", "/api/v1/alerts"))["data"]["alerts"]
        return found

    async def routed_alerts(self) -> list[dict[str, Any]]:
        """Alertmanager's alerts, with what inhibits them."""
        found: list[dict[str, Any]] = await self.get_json("alertmanager", "/api/v2/alerts")
        return found

    async def query(self, expr: str) -> float | None:
        """An instant query's first value."""
        answer = await self.get_json("prometheus", "/api/v1/query", query=expr)
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    async def wait_until_scraped(self, target: str) -> None:
        """Wait until Prometheus scrapes a target.

        Raises:
            DrillError: it does not.
        """
        deadline = time.monotonic() + START_S
        while await self.query(f'up{{instance="{target}"}}') != 1:
            if time.monotonic() > deadline:
                raise DrillError(f"{self.profile.name}: Prometheus cannot scrape {target}")
            await asyncio.sleep(self.profile.interval / 2)

    async def get_json(self, name: str, path: str, **query: str) -> Any:
        """A program's answer in JSON, asked for with the monitoring password.

        Raises:
            httpx.HTTPError: it does not answer, or refuses.
        """
        auth = (USER, credentials.password(self.home.secrets))
        answer = await self.http.get(f"http://127.0.0.1:{self.ports[name]}{path}", params=query, auth=auth)
        answer.raise_for_status()
        return answer.json()

    async def wait_until_ready(self, name: str) -> None:
        """Wait until a program can work.

        Raises:
            DrillError: it does not come up.
        """
        path = {"heartbeat": "/healthz", "node-exporter": "/"}.get(name, "/-/ready")
        auth = (USER, credentials.password(self.home.secrets))
        deadline = time.monotonic() + START_S
        while True:
            try:
                url = f"http://127.0.0.1:{self.ports[name]}{path}"
                if (await self.http.get(url, auth=auth)).is_success:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > deadline or not self.processes[name].is_running:
                raise DrillError(f"{name} does not come up: {self.processes[name].last_lines()}")
            await asyncio.sleep(0.05)

    async def start(self, *names: str) -> None:
        """Start programs and wait until they can work."""
        for name in names:
            await self.processes[name].start()
        for name in names:
            await self.wait_until_ready(name)


@asynccontextmanager
async def drill_environment(
    track: DrillProfile, root: Path, shipped: alerts.Groups = alerts.GROUPS
) -> AsyncIterator[DrillEnvironment]:
    """A track's stack, in a folder of its own below ``root`` and on ports of its own; stopped at the end.

    Args:
        shipped: the rule groups that are drilled.

    Raises:
        DrillError, MissingProgramError: it does not come up.
    """
    home = StateDir(root / track.name)
    home.make()
    credentials.create_missing(home.secrets)
    ports = {name: free_port() for name in PORTS}
    links = Links(f"http://localhost:{ports['heartbeat']}/runbooks", _DASHBOARDS)
    configuration.write_rules(home, track, links, shipped)
    jobs = (
        ScrapeJob("tallow", "", "token"),
        *(ScrapeJob(name, f"127.0.0.1:{ports[name]}", "password") for name in _SCRAPED),
    )
    configuration.write_prometheus(home, track, jobs, ports["alertmanager"])
    async with running_receivers() as desk, async_client(direct=True, timeout=10) as http:
        configuration.write_alertmanager(home, track, desk, ports["heartbeat"])
        programs = _programs(home, track, ports, desk)
        ground = DrillEnvironment(track, home, desk, ports, programs, http, shipped)
        try:
            await ground.start("heartbeat", "alertmanager", "node-exporter", "prometheus")
            yield ground
        finally:
            await asyncio.gather(*(instance.close() for instance in ground.servers), return_exceptions=True)
            await asyncio.gather(*(program.stop() for program in programs.values()))


def _programs(
    home: StateDir, track: DrillProfile, ports: Mapping[str, int], desk: ReceiverSet
) -> dict[str, ManagedProcess]:
    found = binaries.ensure(PROGRAMS)
    listen = {name: f"--web.listen-address=127.0.0.1:{port}" for name, port in ports.items()}
    guarded = f"--web.config.file={home.secrets / 'web.yml'}"

    def program(name: str, binary: str, *arguments: str) -> ManagedProcess:
        known = found[binary]
        command: Sequence[str] = [str(known.path), listen[name], guarded, "--log.format=json", *arguments]
        return ManagedProcess(
            command, home.logs / f"{name}.log", known.folder or home.data, dict(known.environment)
        )

    return {
        "prometheus": program(
            "prometheus",
            "prometheus",
            f"--config.file={home.config / 'prometheus' / 'prometheus.yml'}",
            f"--storage.tsdb.path={home.data / 'prometheus'}",
            f"--web.external-url=http://localhost:{ports['prometheus']}",
            f"--rules.alert.resend-delay={promql_duration(RESEND_S * track.scale)}",
            f"--storage.remote.flush-deadline={FLUSH_S}s",
        ),
        "alertmanager": program(
            "alertmanager",
            "alertmanager",
            f"--config.file={home.config / 'alertmanager' / 'alertmanager.yml'}",
            f"--storage.path={home.data / 'alertmanager'}",
            f"--web.external-url=http://localhost:{ports['alertmanager']}",
            "--cluster.listen-address=",
        ),
        "node-exporter": program(
            "node-exporter", "node_exporter", "--no-collector.systemd", "--collector.textfile.directory="
        ),
        "heartbeat": _heartbeat(home, track, ports["heartbeat"], desk),
    }


def _heartbeat(home: StateDir, track: DrillProfile, port: int, desk: ReceiverSet) -> ManagedProcess:
    given = desk.settings.model_dump(exclude_none=True)
    plain = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in given.items()
    }
    command = [sys.executable, "-m", "tallow.stack.heartbeat", f"--port={port}", f"--scale={track.scale}"]
    own = [
        f"--folder={home.data / 'heartbeat'}",
        f"--password-file={home.secrets / PASSWORD_FILE}",
        f"--pagerduty={desk.pagerduty}",
        f"--dashboards={_DASHBOARDS}",
        "--mark=DRILL",
    ]
    return ManagedProcess(
        command + own,
        home.logs / "heartbeat.log",
        home.data,
        {name.upper(): value for name, value in plain.items()},
    )

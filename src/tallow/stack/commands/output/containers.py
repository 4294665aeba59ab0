"""The table of containers."""

from __future__ import annotations

from collections.abc import Mapping

from tallow.stack.commands.output.services import ServiceRow, ServicesTable
from tallow.stack.engines.docker import lifecycle
from tallow.stack.engines.docker.containers import Container
from tallow.stack.engines.docker.failure import describe_failure
from tallow.stack.engines.docker.project import project, services
from tallow.stack.engines.services.service_state import ServiceState, format_age
from tallow.stack.engines.state.state_dir import StateDir

_DESCRIPTIONS: Mapping[str, str] = {
    "tallow": "file transfer",
    "prometheus": "metrics and rules",
    "alertmanager": "routes alerts",
    "grafana": "dashboards",
    "node-exporter": "metrics of this host",
    "cadvisor": "metrics of containers",
    "heartbeat": "notifies if alerting fails",
    "mailbox": "stores alert e-mails",
    "loki": "stores log lines",
    "collector": "sends log lines to Loki",
    "promtail": "sends log lines to Loki",
    "turn": "relay for peers",
}
NOT_STARTED = ServiceState("ended", "not started")


def container_states(home: StateDir, found: Mapping[str, Container]) -> dict[str, ServiceState]:
    """The state of each service of the stack, by name."""
    names = services(project(home).profiles)
    return {name: _state(found[name]) if name in found else NOT_STARTED for name in names}


def _state(container: Container) -> ServiceState:
    """The state of a container; of one that failed, with the error that it logged."""
    state = container.state()
    if not container.has_failed:
        return state
    return ServiceState(state.name, f"{state.detail}: {describe_failure(container)}")


def containers_table(home: StateDir, found: Mapping[str, Container]) -> ServicesTable:
    """One line per service of a stack of containers."""
    ports = lifecycle.published_ports(home)
    return ServicesTable(
        [
            ServiceRow(
                name,
                str(ports.get(name, "")),
                state,
                format_age(found[name].since) if name in found and found[name].is_running else "",
                found[name].restarts if name in found else 0,
                "",
                _DESCRIPTIONS[name],
            )
            for name, state in container_states(home, found).items()
        ]
    )

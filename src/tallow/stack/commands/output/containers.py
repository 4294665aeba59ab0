"""The table of containers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rich.text import Text

from tallow.stack.commands.output.services import ServiceRow, ServicesTable, format_memory
from tallow.stack.commands.output.summary import address_list
from tallow.stack.engines.command_hint import command_line
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
NO_MEMORY: Final[Mapping[str, int]] = MappingProxyType({})


def container_states(home: StateDir, found: Mapping[str, Container]) -> dict[str, ServiceState]:
    """The state of each service of the stack, by name."""
    names = services(project(home).profiles)
    return {name: _state(home, found[name]) if name in found else NOT_STARTED for name in names}


def _state(home: StateDir, container: Container) -> ServiceState:
    """The state of a container; of one that failed, with the error that it logged and the remedy."""
    state = container.state()
    detail = state.detail
    if container.has_failed and not container.was_killed:
        detail = f"{detail}: {describe_failure(container)}"
    if container.status == "exited":
        detail = f"{detail}; start it again with: {command_line(home, 'up')}"
    return ServiceState(state.name, detail)


def containers_table(
    home: StateDir, found: Mapping[str, Container], memory: Mapping[str, int] = NO_MEMORY
) -> ServicesTable:
    """One line per service of a stack of containers.

    Args:
        memory: the bytes that each service uses, where that is known.
    """
    ports = lifecycle.published_ports(home)
    return ServicesTable(
        [
            ServiceRow(
                name,
                str(ports.get(name, "")),
                state,
                format_age(found[name].since) if name in found and found[name].is_running else "",
                found[name].restarts if name in found else 0,
                format_memory(memory.get(name, 0)),
                _DESCRIPTIONS[name],
            )
            for name, state in container_states(home, found).items()
        ]
    )


def container_addresses(home: StateDir) -> Text:
    """The addresses of the services of a stack of containers, as :func:`address_list` shows them.

    Its data is in volumes, not in its folder.
    """
    ports = lifecycle.published_ports(home)
    mailbox = {"mailbox": f"http://localhost:{ports['mailbox']}"} if "mailbox" in ports else {}
    return address_list(home, home.options().port_offset, mailbox, "configuration")

"""The parts that every service of the Compose file has: hardening, limits, log rotation, health check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

Service = dict[str, Any]
"""A service as the Compose specification describes it."""

HARDENING: Final[Service] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "restart": "unless-stopped",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}},
}
"""Docker keeps at most 50 MB of each service's output."""

HEALTH_INTERVAL: Final = "5s"
SCRATCH: Final = "/tmp:size=16m,mode=1777,noexec,nosuid,nodev"  # noqa: S108 - a mount inside a container
SECRETS: Final = (
    "${TALLOW_SECRETS:?set it to the folder of the secrets, or start with: tallow up --engine docker}"
)
CONFIG: Final = "${TALLOW_CONFIG:-.}"
ADDRESS: Final = "${TALLOW_BIND:-127.0.0.1}"
"""The address of this host that ports are published on."""


def hardened(
    image: str,
    *,
    memory: str,
    networks: Sequence[str],
    health: Sequence[str] | None,
    cpus: str = "1.0",
    pids: int = 256,
    **settings: Any,
) -> Service:
    """A service with the properties that every container of the stack has.

    Args:
        memory: the limit of its memory.
        health: the command of its health check; None if nothing in the image can ask the program.
        cpus: the limit of its processor time, in cores.
        pids: the limit of its processes and threads.
        settings: its further properties; they take precedence.
    """
    service: Service = {"image": image, **HARDENING, "networks": list(networks)}
    service["deploy"] = {"resources": {"limits": {"cpus": cpus, "memory": memory, "pids": pids}}}
    if health is not None:
        service["healthcheck"] = {
            "test": list(health),
            "interval": HEALTH_INTERVAL,
            "timeout": "5s",
            "retries": 3,
            "start_period": "60s",
        }
    return service | settings


def published(variable: str, port: int) -> str:
    """A port that is published on this host, which a variable can move.

    >>> published("PROMETHEUS_PORT", 9090)
    '${TALLOW_BIND:-127.0.0.1}:${PROMETHEUS_PORT:-9090}:9090'
    """
    return f"{ADDRESS}:${{{variable}:-{port}}}:{port}"


def mount(source: str, target: str) -> dict[str, object]:
    """A read-only mount of a file or folder of this host, which must exist."""
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def secret(name: str) -> dict[str, str]:
    """A secret file in ``/run/secrets`` of a container."""
    return {"source": name, "target": f"/run/secrets/{name}"}


def volume_names(services: Iterable[Service]) -> list[str]:
    """The named volumes that services use, in alphabetical order."""
    mounts = [one for service in services for one in service.get("volumes", ()) if isinstance(one, str)]
    return sorted({one.partition(":")[0] for one in mounts if not one.startswith(("/", ".", "$"))})

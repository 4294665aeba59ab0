"""Run the container of a workload as a process: its command, variables and mounted files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from support.kubernetes.cluster import process
from support.kubernetes.manifests import OVERLAYS, Object, objects, of_kind
from support.programs.prometheus import free_port
from tallow.stack.deployment import PORTS
from tallow.stack.kubernetes.objects import SETTINGS

SECRET_VALUES: Final = {
    "database-url": "postgresql://tallow:secret@postgres.example.org/tallow",
    "redis-url": "rediss://:secret@redis.example.org:6379/0",
    "cluster-secret": "a secret of many characters",
    "metrics-token": "a-token-of-many-characters",
    "monitoring-password": "a password of many characters",
    "smtp-password": "a password",
}
POD_FIELDS: Final = {"status.podIP": "127.0.0.1", "metadata.namespace": "tallow"}


@dataclass(frozen=True, slots=True)
class ContainerProcess:
    """The command line and the variables of a container on this machine."""

    command: list[str]
    environment: dict[str, str]


def pod(workload: str) -> Object:
    """The pod template of a workload."""
    template: Object = of_kind("Deployment", objects(OVERLAYS[0]))[workload]["spec"]["template"]
    return template


def container(workload: str) -> Object:
    """The only container of a workload."""
    [only] = pod(workload)["spec"]["containers"]
    found: Object = only
    return found


def _value(variable: Mapping[str, Any]) -> str:
    """The value of an entry of ``env``; for a field of the pod that of :data:`POD_FIELDS`."""
    if "value" in variable:
        return str(variable["value"])
    return POD_FIELDS[variable["valueFrom"]["fieldRef"]["fieldPath"]]


def container_process(workload: str, folder: Path, **secrets: str) -> ContainerProcess:
    """The container of a workload, with its volumes below a folder.

    Args:
        secrets: values of keys in place of :data:`SECRET_VALUES`, with underscores for hyphens.
    """
    places = {mount["mountPath"]: folder / mount["name"] for mount in container(workload)["volumeMounts"]}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    for key, value in SECRET_VALUES.items():
        (folder / "secrets" / key).write_text(secrets.get(key.replace("-", "_"), value))

    def local(text: str) -> str:
        for mounted, place in places.items():
            if text == mounted or text.startswith(f"{mounted}/"):
                return str(place) + text.removeprefix(mounted)
        return text

    configured = of_kind("ConfigMap", objects(OVERLAYS[0]))
    [settings] = [one["data"] for name, one in configured.items() if name.startswith(SETTINGS)]
    own = {one["name"]: _value(one) for one in container(workload)["env"]}
    variables = {name: local(value) for name, value in {**settings, **own}.items()}
    program, *arguments = [
        local(re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], argument))
        for argument in container(workload)["command"]
    ]
    interpreter = [sys.executable, "-m", "tallow"] if program == "tallow" else [sys.executable]
    return ContainerProcess([*interpreter, *arguments], {**variables, "PATH": os.environ["PATH"]})


@contextmanager
def started(
    workload: str, found: ContainerProcess, folder: Path
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A container's process on a free port; gives its URL. The port is the only difference."""
    port, own = free_port(), str(PORTS["tallow" if workload == "tallow" else "heartbeat"])
    assert own in found.command
    command = [str(port) if argument == own else argument for argument in found.command]
    with process(folder / "log", command, folder, found.environment) as running:
        yield f"http://127.0.0.1:{port}", running

"""Containers: the engine, their hardening, images, published ports and secrets."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.compose import coturn
from tallow.stack.compose.document import SERVICES
from tallow.stack.doctor.docker.installation import DockerInstallation
from tallow.stack.doctor.model import Check, NotApplicableError, Problem
from tallow.stack.doctor.native.files import OTHERS
from tallow.stack.doctor.native.machine import Listener
from tallow.stack.engines.docker import layout
from tallow.stack.engines.docker.client import DockerUnavailableError, require_docker
from tallow.stack.engines.docker.configuration import operator_variables
from tallow.stack.engines.docker.project import profiles
from tallow.stack.engines.docker.settings_values import inline_files
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.reload.snapshot import read_values
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.services.definitions import SETTINGS_FILE

PUBLIC: Final = frozenset({"turn"})
"""Services that peers on other machines must reach; they have a protection of their own."""
_ROOT: Final = frozenset({"", "0", "root"})
_READABLE: Final = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_VARIABLE: Final = re.compile(r"\$\{(\w+):-([^}]*)\}")


def _docker_engine(_: DockerInstallation) -> Iterator[Problem]:
    try:
        require_docker()
    except DockerUnavailableError as error:
        yield Problem(str(error), "start Docker, and install Compose v2 (docker compose version)")


def _hardening(installation: DockerInstallation) -> Iterator[Problem]:
    for service, container in _known(installation):
        wanted = SERVICES[service]()
        for problem in _differences(container, wanted):
            yield Problem(
                f"{service} {problem}",
                f"start it from the shipped Compose file: {installation.command('up', '--restart')}",
            )


def _differences(container: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """What a container is allowed that the Compose file does not allow it."""
    host = container["HostConfig"]
    restart = (host.get("RestartPolicy") or {}).get("Name")
    is_root, may_be_root = _is_root(container["Config"].get("User")), _is_root(wanted.get("user"))
    holds = {
        "can write to its root file system": bool(host.get("ReadonlyRootfs")),
        "is privileged": not host.get("Privileged"),
        "keeps capabilities": "ALL" in _list(host, "CapDrop"),
        "has further capabilities": _added_capabilities(host) <= set(wanted.get("cap_add", ())),
        "may gain privileges": any(one.startswith("no-new-privileges") for one in _list(host, "SecurityOpt")),
        "has no memory limit": bool(host.get("Memory")),
        "has no limit of processes": bool(host.get("PidsLimit")),
        "can control the Docker engine by its socket": not _mounts_engine_socket(container),
        "runs as root": may_be_root or not is_root,
        "shares the host's network": host.get("NetworkMode") != "host",
        "is not restarted after a failure": restart not in {"", "no", None},
    }
    yield from (problem for problem, is_so in holds.items() if not is_so)


def _list(described: Mapping[str, Any], name: str) -> list[str]:
    """A list of the engine's description, which has null in place of an empty one."""
    return [str(each) for each in described.get(name) or ()]


def _added_capabilities(host: Mapping[str, Any]) -> set[str]:
    return {name.removeprefix("CAP_") for name in _list(host, "CapAdd")}


def _mounts_engine_socket(container: Mapping[str, Any]) -> bool:
    return any("docker.sock" in str(mount.get("Source", "")) for mount in container.get("Mounts") or ())


def _is_root(user: object) -> bool:
    return str(user or "").partition(":")[0] in _ROOT


def _images(installation: DockerInstallation) -> Iterator[Problem]:
    variables = operator_variables(installation.home)
    for service, container in _known(installation):
        image, wanted = container["Config"]["Image"], _resolved(SERVICES[service]()["image"], variables)
        if image != wanted:
            yield Problem(
                f"{service} runs {image}; this version of Tallow was tested with {wanted}",
                installation.command("up", "--restart"),
                "error" if image.endswith(":latest") or ":" not in image.rpartition("/")[2] else "warning",
            )


def _published_ports(installation: DockerInstallation) -> Iterator[Problem]:
    for service, container in _known(installation):
        for bindings in (container["HostConfig"].get("PortBindings") or {}).values():
            for binding in bindings or ():
                if service not in PUBLIC and _is_open(service, binding):
                    host = binding.get("HostIp") or "every address"
                    yield Problem(
                        f"{service} is published on {host}:{binding['HostPort']}, which other machines "
                        "reach, without TLS",
                        "leave TALLOW_BIND at 127.0.0.1 and put a proxy with TLS before Tallow",
                    )


def _is_open(service: str, binding: Mapping[str, str]) -> bool:
    host = binding.get("HostIp") or "0.0.0.0"
    listener = Listener(service, host, int(binding["HostPort"]))
    return not ipaddress.ip_address(host).is_loopback and not listener.has_tls()


def _container_secrets(installation: DockerInstallation) -> Iterator[Problem]:
    folder = layout.container_secrets(installation.home)
    remedy = installation.command("up", "--restart")
    if not folder.is_dir():
        yield Problem(f"{folder} is missing: containers have no secrets", remedy)
        return
    if folder.stat().st_mode & OTHERS:
        yield Problem(f"{folder} is open to other users", f"chmod 700 {folder}")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.stat().st_mode & _READABLE != _READABLE:
            yield Problem(f"{path}: the container's user cannot read it", f"chmod 444 {path}")
    for service, container in _known(installation):
        for source in _missing_sources(container, folder):
            yield Problem(f"{service} mounts {source}, which is missing", remedy)


def _missing_sources(container: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Mounted files below a folder that do not exist any more."""
    for mount in container.get("Mounts") or ():
        source = str(mount.get("Source", ""))
        if source.startswith(str(folder)) and not os.path.exists(source):  # noqa: PTH110 - never raises
            yield source


def _heartbeat(installation: DockerInstallation) -> Iterator[Problem]:
    if not installation.states:
        raise NotApplicableError("nothing runs; see: services")
    try:
        status = Api.of("heartbeat", installation.home).get("/status")
    except (StackError, OSError):
        raise NotApplicableError("heartbeat does not answer; see: services") from None
    if status.get("state") == "missing":
        yield Problem(
            f"no heartbeat arrives: {status.get('reason') or 'Watchdog does not reach the checker'}",
            f"{installation.command('alerts')} must show that Watchdog fires; then see its runbook",
        )


def _turn(installation: DockerInstallation) -> Iterator[Problem]:
    if coturn.PROFILE not in profiles(installation.home):
        raise NotApplicableError("the profile turn is not chosen")
    values = inline_files(read_values(installation.home.secrets / SETTINGS_FILE))
    remedy = "set {} in .env, then: " + installation.command("reload")
    if not values.get("TURN_SECRET"):
        yield Problem("coturn serves nobody: TURN_SECRET is not set", remedy.format("TURN_SECRET"))
    if not coturn.is_offered(values):
        message = "no peer is told of coturn: ICE_SERVERS has no URL with turn:"
        yield Problem(message, remedy.format("ICE_SERVERS=turn:HOST:3478"))
    try:
        coturn.require_address(values)
    except BadSettingError as error:
        yield Problem(str(error), remedy.format("ICE_SERVERS"))


def _known(installation: DockerInstallation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The containers of services of the Compose file."""
    found = installation.containers
    if not found:
        raise NotApplicableError("there are no containers; see: services")
    yield from ((service, found[service]) for service in SERVICES if service in found)


def _resolved(image: str, variables: Mapping[str, str]) -> str:
    """An image with the variables of the Compose file replaced."""
    return _VARIABLE.sub(lambda match: variables.get(match[1]) or match[2], image)


CHECKS: Final = (
    Check("docker-engine", "The Docker engine answers, and Compose v2 is there", _docker_engine),
    Check("container-hardening", "No container may do more than the Compose file allows", _hardening),
    Check("container-images", "Every container runs the image of this version", _images),
    Check(
        "published-ports",
        "No port of a container is reachable from other machines without TLS",
        _published_ports,
    ),
    Check("container-secrets", "Containers, and nobody else, can read their secrets", _container_secrets),
    Check("turn", "Peers are told of coturn, at an address that it knows, and can use it", _turn),
    Check("heartbeat", "Watchdog arrives at the heartbeat checker", _heartbeat),
)
